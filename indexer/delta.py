"""What a snapshot changes among the chunks, worked out from document versions and layouts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.facets import Facets, lives
from kb.layout import Layout, chunks
from kb.nouns import Chunk, DocumentVersion


@dataclass(frozen=True, slots=True)
class Birth:
    """A chunk that begins to live with these facets, and the document that holds it."""

    chunk: Chunk
    document: DocumentVersion
    facets: Facets


@dataclass(frozen=True, slots=True)
class Delta:
    """The chunks that begin to live, and the ids of those that end."""

    born: tuple[Birth, ...]
    ended: frozenset[str]

    @property
    def renewed(self) -> frozenset[str]:
        """Chunks that end only to go on with other facets."""
        return self.ended & {birth.chunk.chunk_id for birth in self.born}


def diff(
    opened: Iterable[DocumentVersion],
    closed: Iterable[DocumentVersion],
    layouts: Mapping[str, Layout],
    before: Mapping[str, Layout],
) -> Delta:
    """Pure. `layouts` holds those of what is opened, `before` those of what is closed, whose texts are not needed."""
    old = {life for version in closed for life in lives(version, before[version.layout])}
    new = {
        life: Birth(chunk, version, life[1])
        for version in opened
        for chunk, life in zip(
            chunks(version.document_id, layouts[version.layout]), lives(version, layouts[version.layout]), strict=True
        )
    }
    born = tuple(birth for life, birth in new.items() if life not in old)
    return Delta(born, frozenset(chunk for chunk, _ in old - new.keys()))
