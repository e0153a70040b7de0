"""Hits of texts as they were found: one for each text."""

from collections.abc import Sequence

from kb.nouns import Hit
from kb.search.texts import Text


def hits(texts: Sequence[Text]) -> tuple[Hit, ...]:
    return tuple(_hit(rank, text) for rank, text in enumerate(texts, 1))


def _hit(rank: int, text: Text) -> Hit:
    own, *others = text.places
    also = tuple(place.provenance for place in others)
    return Hit(
        rank=rank,
        score=text.score,
        scores=text.scores,
        text=text.text,
        chunk_id=own.chunk_id,
        document_id=text.document_id,
        provenance=own.provenance,
        also=also,
        chunks=(own.chunk_id,),
    )
