"""Texts: chunks of one text are one find, at several places."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.nouns import DocumentVersion, Provenance, Scores
from kb.search.ranking import Ranking


@dataclass(frozen=True, slots=True)
class Scored:
    """A text by its digest, as good as the chunks that hold it: equal texts score equally."""

    text_sha256: str
    chunk_id: str
    """The first of them."""
    score: float
    scores: Scores


@dataclass(frozen=True, slots=True)
class Place:
    """A chunk's place: passage `index` of its document."""

    chunk_id: str
    owner: DocumentVersion
    index: int
    provenance: Provenance

    @property
    def order(self) -> tuple[str, str, int]:
        return self.provenance.source, self.provenance.uri, self.index


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was found, and where it stands: the first place, by source, URI and position, is the hit's own."""

    text: str
    score: float
    scores: Scores
    places: tuple[Place, ...]

    @property
    def document_id(self) -> str:
        return self.places[0].owner.document_id

    @property
    def index(self) -> int:
        """Of the passage in its document."""
        return self.places[0].index


def fold(ranking: Ranking, digests: Mapping[str, str], parts: Mapping[str, Scores]) -> list[Scored]:
    """The distinct texts of the ranking's chunks, in its order; `digests` are those of the chunks' texts."""
    found: dict[str, Scored] = {}
    for chunk, score in ranking:
        known = found.get(digests[chunk])
        if known is None:
            found[digests[chunk]] = Scored(digests[chunk], chunk, score, parts[chunk])
        else:
            found[digests[chunk]] = replace(known, scores=_best(known.scores, parts[chunk]))
    return list(found.values())


def _best(one: Scores, other: Scores) -> Scores:
    dense, bm25 = ((one.dense_rank, other.dense_rank), (one.bm25_rank, other.bm25_rank))
    return replace(one, dense_rank=_first(dense), bm25_rank=_first(bm25))


def _first(ranks: Iterable[int | None]) -> int | None:
    return min((rank for rank in ranks if rank is not None), default=None)


def capped(texts: Iterable[Text], most: int | None) -> Sequence[Text]:
    """In their order, of each document the first `most`; all where that is None."""
    if most is None:
        return list(texts)
    seen: Counter[str] = Counter()
    kept = []
    for text in texts:
        seen[text.document_id] += 1
        if seen[text.document_id] <= most:
            kept.append(text)
    return kept
