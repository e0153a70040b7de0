"""Rankings: ids with their scores, and the similarity by which vectors are ranked."""

from collections.abc import Sequence

import numpy as np

from kb.embedding.protocol import Vectors

Ranking = list[tuple[str, float]]
"""Ids with their scores, best first."""
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def ranked(ids: Sequence[str], values: Floats) -> Ranking:
    """Best first, ties by id."""
    return sorted(zip(ids, values.tolist(), strict=True), key=by_score)


def by_score(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]


def similarities(rows: Vectors, vector: Vectors) -> Floats:
    """Cosine similarity of unit vectors, summed row by row in double precision: equal whatever rows stand beside."""
    products = rows.astype(np.float64) * vector.astype(np.float64)
    similarity: Floats = products.sum(axis=1)
    return similarity
