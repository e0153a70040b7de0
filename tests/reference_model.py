"""What every version must answer, worked out in the plainest way: dictionaries, the pure chunker, numpy, rank_bm25."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi

from indexer.chunker import chunk
from indexer.extract import extract
from kb.analysis import analyse
from kb.digest import chunk_id, document_id
from kb.embedding.hashing import HashingEmbedder, WordTokeniser
from kb.search.fusion import DEPTH, fuse

DIMENSIONS = 32
"""Of the embedding space that a test begins in."""
TOKENISER = WordTokeniser()

Place = tuple[str, str]
"""A source's name and a document's URI in it."""
State = Mapping[Place, str]
Ranking = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk as the model has it."""

    chunk_id: str
    place: Place
    start: int
    end: int
    section: tuple[str, ...]
    text: str
    facets: tuple[str, ...]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def pieces(place: Place, text: str) -> tuple[Piece, ...]:
    """The chunks of one document, by the pure functions that make them."""
    source, uri = place
    extracted = extract(text.encode(), uri, None)
    assert extracted.text == text, "the canonical text of a text format is the file's own"
    identity, seen, found = document_id(source, uri), Counter[str](), []
    for passage in chunk(extracted, TOKENISER):
        cut = text[passage.start : passage.end]
        name = chunk_id(identity, sha256(cut), seen[cut])
        seen[cut] += 1
        facets = {f"media_type={extracted.media_type}", *(f"section={heading}" for heading in passage.section)}
        found.append(Piece(name, place, passage.start, passage.end, passage.section, cut, tuple(sorted(facets))))
    return tuple(found)


@cache
def vector(text: str, dimensions: int) -> npt.NDArray[np.float64]:
    embedded: npt.NDArray[np.float64] = HashingEmbedder(dimensions).embed([text])[0].astype(np.float64)
    return embedded


@cache
def tokens(text: str) -> tuple[str, ...]:
    return tuple(analyse(text))


class Lucene(BM25Okapi):  # type: ignore[misc]
    """rank_bm25 as it is published, but for the idf."""

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {term: math.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5)) for term, n in nd.items()}


def bm25(texts: Mapping[str, str], query: str) -> dict[str, float]:
    """The positive scores of all texts, by their names."""
    corpus = [tokens(text) for text in texts.values()]
    if not any(corpus):
        return {}
    scores = Lucene(corpus).get_scores(tokens(query))
    return {name: float(score) for name, score in zip(texts, scores, strict=True) if score > 0}


def ranked(scores: Mapping[str, float]) -> Ranking:
    """Best first, ties by name."""
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def copies(chunks: Iterable[Piece]) -> dict[str, list[Piece]]:
    """The pieces by their texts, each text's by source, URI and position."""
    found: dict[str, list[Piece]] = {}
    for piece in sorted(chunks, key=lambda piece: (*piece.place, piece.start)):
        found.setdefault(piece.text, []).append(piece)
    return found


def folded(ranking: Ranking, chunks: Mapping[str, Piece]) -> Ranking:
    """Each text once, as the first of the pieces that hold it; `chunks` are all that may be found."""
    firsts = {text: pieces[0].chunk_id for text, pieces in copies(chunks.values()).items()}
    return list({firsts[chunks[name].text]: score for name, score in ranking}.items())


class Expected:
    """What one version must answer."""

    def __init__(self, state: State, dimensions: int) -> None:
        self.state = dict(state)
        self.dimensions = dimensions

    @cached_property
    def chunks(self) -> dict[str, Piece]:
        return {piece.chunk_id: piece for place, text in self.state.items() for piece in pieces(place, text)}

    @cache  # noqa: B019 - as many are kept as a test makes versions
    def rankings(self, query: str) -> dict[str, Ranking]:
        """All chunks by each mode, best first."""
        assert len(self.chunks) <= DEPTH, "beyond it the fusion sees the best of each side only"
        vectors = {name: vector(piece.text, self.dimensions) for name, piece in self.chunks.items()}
        asked = vector(query, self.dimensions)
        dense = ranked({name: float((found * asked).sum()) for name, found in vectors.items()})
        words = ranked(bm25({name: self.chunks[name].text for name in sorted(self.chunks)}, query))
        return {"dense": dense, "bm25": words, "hybrid": fuse(dense, words)}


class History:
    """Every version's documents, and the lives of chunks that follow from them."""

    def __init__(self) -> None:
        self.versions: list[Expected] = []
        self.dimensions = DIMENSIONS
        self.expired: set[int] = set()

    @property
    def head(self) -> State:
        return self.versions[-1].state if self.versions else {}

    @property
    def kept(self) -> list[int]:
        """The versions that answer, oldest first."""
        return [version for version in range(1, len(self.versions) + 1) if version not in self.expired]

    def retain(self, wanted: Iterable[int]) -> list[int]:
        """Lets all versions expire but those wanted and the head; returns which."""
        gone = [version for version in self.kept[:-1] if version not in set(wanted)]
        self.expired.update(gone)
        return gone

    def at(self, version: int) -> Expected:
        return self.versions[version - 1]

    def publish(self, source: str, documents: Mapping[str, str]) -> bool:
        """A new version where the source's documents are now these; False where they were these before."""
        after = {place: text for place, text in self.head.items() if place[0] != source}
        after |= {(source, uri): text for uri, text in documents.items()}
        if after == self.head:
            return False
        self.versions.append(Expected(after, self.dimensions))
        return True

    def move(self, dimensions: int) -> bool:
        """A new version with the same documents where there are versions, and of another embedding space."""
        self.dimensions = dimensions
        if not self.versions or self.versions[-1].dimensions == dimensions:
            return False
        self.versions.append(Expected(self.head, dimensions))
        return True

    def life(self, name: str, version: int) -> tuple[int, int | None]:
        """Since when the chunk that lives at the version has lived with its facets, and until when, without a gap."""
        facets = self.at(version).chunks[name].facets

        def lives(other: int) -> bool:
            same_space = self.at(other).dimensions == self.at(version).dimensions
            piece = self.at(other).chunks.get(name)
            return same_space and piece is not None and piece.facets == facets

        since = version
        while since > 1 and lives(since - 1):
            since -= 1
        later = range(version + 1, len(self.versions) + 1)
        return since, next((number for number in later if not lives(number)), None)
