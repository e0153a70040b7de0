"""Facets: what a passage can be filtered by beside its place, written as the `name=value` words that its row holds."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kb.digest import chunk_id
from kb.layout import Layout, occurrences
from kb.nouns import DocumentVersion

RESERVED: Final = ("source", "uri", "media_type", "section", "modified_after", "modified_before")
"""Filters of every knowledge base: metadata of such a name is filtered by as `metadata.NAME`."""
GLOBBED: Final = ("media_type", "section")
"""Facets that are filtered by with globs."""
_METADATA: Final = "metadata."

Facets = tuple[str, ...]


def facets_of(version: DocumentVersion, section: Sequence[str]) -> Facets:
    """Those of a section's passages, in order and each once: the media type, every heading, the metadata."""
    metadata = (facet(filter_name(key), value) for key, value in version.metadata.items())
    sections = (facet("section", heading) for heading in section)
    return tuple(sorted({facet("media_type", version.media_type), *sections, *metadata}))


class Life(NamedTuple):
    """What a row is told apart by: its chunk, by what makes the chunk's id, and its facets."""

    document_id: str
    text_sha256: str
    occurrence: int
    facets: Facets

    @property
    def chunk_id(self) -> str:
        return chunk_id(self.document_id, self.text_sha256, self.occurrence)


def lives(version: DocumentVersion, layout: Layout) -> Iterator[Life]:
    """One for each passage, in order."""
    sections = [passage.section for passage in layout.passages]
    facets = {section: facets_of(version, section) for section in set(sections)}
    for cut, occurrence, section in zip(layout.cuts, occurrences(layout.cuts), sections, strict=True):
        yield Life(version.document_id, cut, occurrence, facets[section])


def facet(name: str, value: str) -> str:
    """Unambiguous, whatever the name and the value hold; what is no Unicode in them becomes `?`."""
    # The first `=` is the one between them.
    escaped = name.replace("%", "%25").replace("=", "%3D")
    return f"{escaped}={value}".encode("utf-8", "replace").decode()


def filter_name(key: str) -> str:
    """The filter that a metadata key is asked for by."""
    return f"{_METADATA}{key}" if key in RESERVED or key.startswith(_METADATA) else key


def parted(written: str) -> tuple[str, str]:
    """The name and the value that a facet was made from."""
    name, _, value = written.partition("=")
    return name.replace("%3D", "=").replace("%25", "%"), value
