"""The rows that a search looks at: those nearest to a vector and those that hold its words, found side by side."""

import asyncio
from collections.abc import Sequence
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
    """Rows that each side gives at most."""
    columns: Sequence[str]


async def candidates(table: "AsyncTable", request: Request) -> tuple[pa.Table, pa.Table]:
    """The rows nearest to the vector, best first, and those that hold any of the tokens, likely ones first."""
    near, matching = await asyncio.gather(_near(table, request), _matching(table, request))
    return near.select(request.columns), matching.select(request.columns)


async def _near(table: "AsyncTable", request: Request) -> pa.Table:
    if request.vector is None:
        return await _nothing(table)
    query = _restricted(table.query(), request, "_distance").nearest_to(request.vector).distance_type("dot")
    if request.matches <= _FLAT_MOST:
        query = query.bypass_vector_index()
    else:
        # The fewer rows match, the more partitions hold what is near.
        query = query.nprobes(_PROBES * -(-await table.count_rows() // request.matches))
    return await query.to_arrow()


async def _matching(table: "AsyncTable", request: Request) -> pa.Table:
    if not request.tokens:
        return await _nothing(table)
    return await _restricted(table.query(), request, "_score").nearest_to_text(" ".join(request.tokens)).to_arrow()


def _restricted(query: "AsyncQuery", request: Request, score: str) -> Any:
    # The score is named, or every query prints a deprecation warning.
    return query.where(request.where).limit(request.limit).select([*request.columns, score])


async def _nothing(table: "AsyncTable") -> pa.Table:
    schema: pa.Schema = await table.schema()
    return schema.empty_table()
