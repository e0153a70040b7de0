"""What differs between two versions: its cost follows the difference, not the size."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kb.answers import ChunkChange, DocumentChange, ResultChange
from kb.digest import chunk_id
from kb.layout import Layout, occurrences
from kb.nouns import Change, DocumentVersion, Hit

Places = dict[tuple[str, int], int]
"""Of a document's chunks among its passages, by the digest of the text and how many equal ones stand before."""


def document_changes(touched: Iterable[DocumentVersion], before: int, after: int) -> tuple[DocumentChange, ...]:
    """The documents that differ, by source and URI, from all document versions that began or ended in between."""
    by_id: dict[str, list[DocumentVersion]] = {}
    for version in touched:
        by_id.setdefault(version.document_id, []).append(version)
    changes = (_document_change(_alive(versions, before), _alive(versions, after)) for versions in by_id.values())
    found = [change for change in changes if change is not None]
    return tuple(sorted(found, key=lambda change: (change.source, change.uri)))


def with_text(changes: Iterable[DocumentChange], layouts: Mapping[str, Layout]) -> tuple[DocumentChange, ...]:
    """The same changes, each with the unified diff of its texts."""
    return tuple(replace(change, text=_unified(change, layouts)) for change in changes)


def chunk_changes(changes: Iterable[DocumentChange], layouts: Mapping[str, Layout]) -> tuple[ChunkChange, ...]:
    """The chunks that only one of the versions has, in the order of the documents that hold them."""
    found: list[ChunkChange] = []
    for change in changes:
        old, new = _places(change.before, layouts), _places(change.after, layouts)
        found += _only(old, new, change.before, layouts, "removed")
        found += _only(new, old, change.after, layouts, "added")
    return tuple(found)


def result_changes(query: str, before: Sequence[Hit], after: Sequence[Hit]) -> tuple[ResultChange, ...]:
    """The hits of a query whose rank differs."""
    old = {hit.chunk_id: hit for hit in before}
    new = {hit.chunk_id: hit for hit in after}
    changes = []
    for identity, hit in (new | {key: hit for key, hit in old.items() if key not in new}).items():
        was = old[identity].rank if identity in old else None
        now = new[identity].rank if identity in new else None
        if was != now:
            place = hit.provenance
            changes.append(ResultChange(query, place.uri, place.source, identity, was, now))
    return tuple(changes)


def layouts_of(changes: Iterable[DocumentChange]) -> set[str]:
    """The keys of all layouts that the changes name."""
    return {version.layout for change in changes for version in (change.before, change.after) if version}


def _alive(versions: Iterable[DocumentVersion], at: int) -> DocumentVersion | None:
    return next((version for version in versions if version.since <= at < version.until), None)


def _document_change(before: DocumentVersion | None, after: DocumentVersion | None) -> DocumentChange | None:
    present = after or before
    if present is None or (before is not None and after is not None and _same(before, after)):
        return None
    change: Change = "added" if before is None else "removed" if after is None else "changed"
    return DocumentChange(present.uri, present.source, change, before, after)


def _same(before: DocumentVersion, after: DocumentVersion) -> bool:
    """Whether nothing differs but the history: a reverted document is the same again."""
    facts = ("content_sha256", "layout", "title", "media_type", "metadata")
    return all(getattr(before, fact) == getattr(after, fact) for fact in facts)


def _unified(change: DocumentChange, layouts: Mapping[str, Layout]) -> str:
    old = layouts[change.before.layout].text if change.before else ""
    new = layouts[change.after.layout].text if change.after else ""
    names = (f"{change.source}:{change.uri}",) * 2
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm=""))
    if not lines and old != new:
        lines = ["only the ends of lines differ"]
    return "\n".join(lines)


def _places(version: DocumentVersion | None, layouts: Mapping[str, Layout]) -> Places:
    cuts = layouts[version.layout].cuts if version else ()
    return {key: index for index, key in enumerate(zip(cuts, occurrences(cuts), strict=True))}


def _only(
    places: Places, others: Places, version: DocumentVersion | None, layouts: Mapping[str, Layout], kind: Change
) -> Iterator[ChunkChange]:
    """The chunks of a document's version that another version of it has not."""
    if version is None:
        return
    layout = layouts[version.layout]
    for (cut, occurrence), index in places.items():
        if (cut, occurrence) not in others:
            passage = layout.passages[index]
            identity = chunk_id(version.document_id, cut, occurrence)
            text = layout.text[passage.start : passage.end]
            yield ChunkChange(version.uri, version.source, kind, identity, cut, passage.section, text)
