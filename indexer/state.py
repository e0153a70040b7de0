"""Where a source stands in the index, and what a listing changes about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.protocol import Entry, Listing
from kb.catalog import Connection, documents, scan
from kb.catalog.scan import Seen
from kb.nouns import DocumentVersion


@dataclass(slots=True)
class SourceState:
    """The documents of a source as they live at the head, and what was last seen of each URI.

    It moves along with what is published: a history of a thousand listings must not read the catalog as often.
    """

    documents: dict[str, DocumentVersion]
    seen: dict[str, Seen]

    def see(self, seen: Iterable[Seen], forgotten: Iterable[str]) -> None:
        for uri in forgotten:
            self.seen.pop(uri, None)
        self.seen.update((value.uri, value) for value in seen)

    def publish(self, opened: Iterable[DocumentVersion], closed: Iterable[DocumentVersion], version: int) -> None:
        for value in closed:
            self.documents.pop(value.uri, None)
        self.documents.update((value.uri, replace(value, since=version)) for value in opened)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a listing asks for: entries to be read, URIs that are gone."""

    changed: tuple[Entry, ...]
    gone: tuple[str, ...]


def load_state(connection: Connection, source: str, head: int) -> SourceState:
    living = {version.uri: version for version in documents.at(connection, head, source)}
    return SourceState(living, scan.seen(connection, source))


def compare(state: SourceState, listing: Listing, rework: bool) -> Difference:
    """Pure. With `rework` every listed entry is read again, whatever its stamp."""
    changed = tuple(entry for entry in listing.entries if rework or _stamp(state, entry.uri) != entry.stamp)
    if listing.removed is None:
        gone = (state.documents.keys() | state.seen.keys()) - {entry.uri for entry in listing.entries}
    else:
        gone = {uri for uri in listing.removed if uri in state.documents or uri in state.seen}
    return Difference(changed, tuple(sorted(gone)))


def _stamp(state: SourceState, uri: str) -> str | None:
    seen = state.seen.get(uri)
    return seen.stamp if seen else None
