"""What a snapshot changes among the chunks, worked out from document versions and layouts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.facets import Facets, Life, lives
from kb.layout import Layout
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
        life: (version, place)
        for version in opened
        for place, life in enumerate(lives(version, layouts[version.layout]))
    }
    born = tuple(
        Birth(_chunk(life, layouts[version.layout], place), version, life.facets)
        for life, (version, place) in new.items()
        if life not in old
    )
    return Delta(born, frozenset(life.chunk_id for life in old - new.keys()))


def _chunk(life: Life, layout: Layout, place: int) -> Chunk:
    passage = layout.passages[place]
    return Chunk(life.chunk_id, life.document_id, life.text_sha256, layout.text[passage.start : passage.end])
