"""The chunks that a search looks at: those nearest to a vector and those that hold its words, found side by side."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from lancedb.query import AsyncQuery
    from lancedb.table import AsyncTable

_PROBES: Final = 20
"""Partitions of the vector index that are searched where every row may match."""
_FLAT_MOST: Final = 5_000
"""So few matching rows are all compared: an index would have to be searched nearly whole for them."""


Estimates = Mapping[str, float]
"""Scores by chunk, best first."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a search asks of the rows. No vector: nothing near is wanted; no tokens: nothing matching."""

    vector: np.ndarray[Any, np.dtype[np.float32]] | None
    tokens: Sequence[str]
    where: str
    """The condition that every row must meet; it is applied before the ranking."""
    matches: int
    """How many rows meet it, about."""
    limit: int
    """Chunks that each side gives at most."""


async def candidates(table: "AsyncTable", request: Request) -> tuple[Estimates, Estimates]:
    """Chunks nearest to the vector by their cosine, and chunks that hold any of the tokens by LanceDB's BM25.

    Both are estimates: the vector index knows vectors roughly, and LanceDB's statistics count all rows that ever lived.
    """
    return await asyncio.gather(_near(table, request), _matching(table, request))


async def _near(table: "AsyncTable", request: Request) -> Estimates:
    if request.vector is None:
        return {}
    query = _restricted(table.query(), request, "_distance").nearest_to(request.vector).distance_type("dot")
    if request.matches <= _FLAT_MOST:
        query = query.bypass_vector_index()
    else:
        # The fewer rows match, the more partitions hold what is near.
        query = query.nprobes(_PROBES * -(-await table.count_rows() // request.matches))
    return {chunk: 1.0 - distance for chunk, distance in _pairs(await query.to_arrow(), "_distance")}


async def _matching(table: "AsyncTable", request: Request) -> Estimates:
    if not request.tokens:
        return {}
    query = _restricted(table.query(), request, "_score").nearest_to_text(" ".join(request.tokens))
    return dict(_pairs(await query.to_arrow(), "_score"))


def _restricted(query: "AsyncQuery", request: Request, score: str) -> Any:
    # The score is named, or every query prints a deprecation warning.
    return query.where(request.where).limit(request.limit).select(["chunk_id", score])


def _pairs(found: pa.Table, score: str) -> Iterator[tuple[str, float]]:
    return zip(found["chunk_id"].to_pylist(), found[score].to_pylist(), strict=True)
