"""The fusion of the dense and the BM25 ranking into one."""

from collections.abc import Iterable
from typing import Final

DEPTH: Final = 200
"""Candidates that each side gives."""
DENSE_WEIGHT: Final = 0.6

Ranking = list[tuple[str, float]]
"""Ids with their scores, best first."""


def fuse(dense: Ranking, bm25: Ranking) -> Ranking:
    """Each side scaled to [0, 1] over its candidates, weighted and added; ties by id."""
    scaled_dense, scaled_bm25 = _scaled(dense), _scaled(bm25)
    fused = {
        chunk: DENSE_WEIGHT * scaled_dense.get(chunk, 0.0) + (1 - DENSE_WEIGHT) * scaled_bm25.get(chunk, 0.0)
        for chunk in scaled_dense.keys() | scaled_bm25.keys()
    }
    return sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))


def _scaled(ranking: Iterable[tuple[str, float]]) -> dict[str, float]:
    scores = dict(ranking)
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {chunk: (score - low) / (high - low) if high > low else 1.0 for chunk, score in scores.items()}
