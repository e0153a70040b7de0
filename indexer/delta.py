"""What a snapshot changes among the chunks, worked out from document versions and layouts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.layout import Layout, chunk_ids, chunks
from kb.nouns import Chunk, DocumentVersion


@dataclass(frozen=True, slots=True)
class Birth:
    """A chunk that begins to live, and the document that holds it."""

    chunk: Chunk
    document: DocumentVersion


@dataclass(frozen=True, slots=True)
class Delta:
    """The chunks that begin to live, and the ids of those that end."""

    born: tuple[Birth, ...]
    ended: frozenset[str]


def diff(
    opened: Iterable[DocumentVersion],
    closed: Iterable[DocumentVersion],
    layouts: Mapping[str, Layout],
    cuts: Mapping[str, tuple[str, ...]],
) -> Delta:
    """Pure. `layouts` holds those of what is opened, `cuts` the passages' digests of what is closed, by layout."""
    before = {(version.document_id, version.layout): version for version in closed}
    after = {(version.document_id, version.layout): version for version in opened}
    old = {
        identity
        for (document, layout) in before.keys() - after.keys()
        for identity in chunk_ids(document, cuts[layout])
    }
    new = [
        Birth(chunk, version)
        for (document, layout), version in after.items()
        if (document, layout) not in before
        for chunk in chunks(document, layouts[layout])
    ]
    kept = {birth.chunk.chunk_id for birth in new} & old
    return Delta(tuple(birth for birth in new if birth.chunk.chunk_id not in kept), frozenset(old - kept))
