"""Whether the quick answers are the exact ones: overlap, recall under filters, and BM25 held against its reference."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kb.answers import Answer
from kb.base import KnowledgeBase
from kb.nouns import Mode
from scripts.benchmarks.store_parts.latency import Times

FILTERS: Final[Mapping[str, str | None]] = {"all": None, "50 %": "0/**", "5 %": "?/00/**", "0.1 %": "?/??/000/**"}
"""Globs on the URIs that the corpus lays out."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Default and exact answers to the same questions, taken in turn."""

    default: Times
    exact: Times
    overlaps: tuple[float, ...]
    """Share of the exact top 10 that the default gives, for each question."""
    same_order: int
    """Questions with the same chunks in the same order."""
    score_difference: float
    """The largest, of chunks that both give."""

    @property
    def overlap(self) -> float:
        return float(np.mean(self.overlaps))

    @property
    def questions(self) -> int:
        return len(self.overlaps)


def compare(
    base: KnowledgeBase, mode: Mode, versions: Sequence[int], questions: Sequence[str], most_s: float, glob: str | None
) -> Compared:
    """Asks each question as of one version in turn, until all are asked or `most_s` seconds are spent."""
    filters = {} if glob is None else {"uri": [glob]}
    pairs: list[tuple[Answer, Answer]] = []
    for question, version in _within(most_s, questions, versions):
        found = [
            base.search(question, as_of=version, mode=mode, exact=exact, filters=filters) for exact in (False, True)
        ]
        pairs.append((found[0], found[1]))
    return Compared(
        default=Times(tuple(quick.took_ms for quick, _ in pairs)),
        exact=Times(tuple(exact.took_ms for _, exact in pairs)),
        overlaps=tuple(_overlap(_ids(quick), _ids(exact)) for quick, exact in pairs),
        same_order=sum(_ids(quick) == _ids(exact) for quick, exact in pairs),
        score_difference=max(_difference(quick, exact) for quick, exact in pairs),
    )


def _within(most_s: float, questions: Sequence[str], versions: Sequence[int]) -> Iterator[tuple[str, int]]:
    began = time.perf_counter()
    for place, question in enumerate(questions):
        if place and time.perf_counter() - began > most_s:
            return
        yield question, versions[place % len(versions)]


def _ids(answer: Answer) -> list[str]:
    return [hit.chunk_id for hit in answer.hits]


def _overlap(found: Sequence[str], wanted: Sequence[str]) -> float:
    return len(set(found) & set(wanted)) / len(wanted) if wanted else 1.0


def _difference(quick: Answer, exact: Answer) -> float:
    scores = {hit.chunk_id: hit.score for hit in exact.hits}
    return max((abs(hit.score - scores[hit.chunk_id]) for hit in quick.hits if hit.chunk_id in scores), default=0.0)
