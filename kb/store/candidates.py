"""The chunks that a search looks at: those nearest to a vector and those that hold its words, found by the indexes.

Each side estimates scores: the vector index knows vectors roughly, and LanceDB's BM25 counts all rows that ever lived.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from kb.access import Keys
from kb.bm25 import Statistics
from kb.store.blocks import Chosen
from kb.store.census import Census
from kb.store.conditions import visible
from kb.store.image import Scores
from kb.store.images import Images
from kb.store.known import Ids, KnownRows
from kb.store.lance import gone
from kb.store.remembered import RememberedRows
from kb.store.rows import ROW_ID, WholeRow
from kb.store.upkeep import PARTITION

if TYPE_CHECKING:
    from lancedb.table import AsyncTable

_PROBES: Final = 200
"""Partitions of the vector index that are searched at least where every row may match."""
_PROBED_LEAST: Final = 0.5
"""Of all partitions: of the ten nearest of 500,000 rows 200 partitions, a tenth of all, held .92."""
_SIFTED_LEAST: Final = 0.25
"""Where fewer of the rows are visible, the indexes are searched under a condition: else they name mostly others."""
_SPARE: Final = 1.5
"""Times as many are named as should be left by sifting if the others lay evenly among the visible."""


Estimates = Mapping[int, float]
"""Scores by row id, best first."""
Side = tuple[Ids, "np.ndarray[Any, np.dtype[np.float64]]"]
"""Row ids and the estimates of their scores, best first."""
_NOTHING: Final[Side] = (np.zeros(0, np.uint64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Request:
    """What a search asks of the rows. No vector: nothing near is wanted; no tokens: nothing matching."""

    vector: np.ndarray[Any, np.dtype[np.float32]] | None
    tokens: Sequence[str]
    version: int
    keys: Keys
    """What opens rows to the caller; None for one who may see all."""
    condition: str | None
    """What a row must meet beside living at the version and being open; None where nothing else is asked."""
    limit: int
    """Chunks that each side gives at most."""

    @property
    def where(self) -> str:
        return visible(self.version, self.keys, self.condition)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A table at one version of it: what reads it sees the same rows in the same places."""

    table: "AsyncTable"
    version: int
    rows: int
    dimensions: int
    """Of its vectors."""
    known: KnownRows
    census: Census
    remembered: RememberedRows
    images: Images


@dataclass(frozen=True, slots=True, eq=False)
class Surely:
    """What an image tells of all rows that either side named: everything that a score is made of, nearly or exactly."""

    ids: Ids
    cosines: Scores
    """Off by `rough` at most, but for a miracle."""
    rough: float
    bm25: Scores
    statistics: Statistics
    """BM25's own, of all rows that live and that the caller may see, whatever a condition leaves."""


@dataclass(frozen=True, slots=True)
class Found:
    """What each side named; and of that the rows that were read so far."""

    near: Estimates
    matching: Estimates
    pinned: Pinned
    """Where it was found, and where it is read."""
    surely: Surely | None = None
    """None where the indexes were searched."""
    rows: Mapping[int, WholeRow] = field(default_factory=dict)
    """By row id."""
    copied: frozenset[str] = frozenset()
    """The texts of these rows, by digest, that other chunks may hold, too."""


async def find(pinned: Pinned, request: Request, matches: int) -> Found:
    """By the indexes, with no row read yet; about so many rows are what the request is among."""
    near, matching = await _sifted(pinned, request, matches) or await _filtered(pinned, request, matches)
    return Found(near, matching, pinned)


async def read(found: Found, row_ids: Iterable[int]) -> Found:
    """With those rows read, too."""
    pinned = found.pinned
    try:
        rows = await pinned.remembered.take(pinned.table, row_ids)
    except (OSError, RuntimeError, ValueError) as error:
        if gone(error):
            pinned.images.forget(pinned)
        raise
    texts = (row.text_sha256 for row in rows.values())
    copied = await pinned.known.copied(pinned.table, pinned.version, texts)
    return replace(found, rows={**found.rows, **rows}, copied=found.copied | copied)


async def _sifted(pinned: Pinned, request: Request, matches: int) -> tuple[Estimates, Estimates] | None:
    """Each side names what is best of all rows, and what is visible is kept; None where that may leave out a match."""
    share = matches / max(1, pinned.rows)
    if request.condition is not None or share < _SIFTED_LEAST:
        return None
    limit = ceil(request.limit * _SPARE / share)
    sides = await _sides(pinned, request, matches, limit, None)
    kept = []
    for ids, scores in sides:
        seen = await _visible(pinned, request, ids)
        if len(ids) == limit and np.count_nonzero(seen) < request.limit:
            return None
        kept.append(estimates(ids[seen][: request.limit], scores[seen][: request.limit]))
    return kept[0], kept[1]


async def _visible(pinned: Pinned, request: Request, ids: Ids) -> Chosen:
    """Which of the rows live at the version and are open to the caller."""
    if request.keys is not None:
        return await pinned.census.chosen(pinned, request.version, request.keys, ids)
    facts = await pinned.known.facts(pinned.table, ids)
    living: Chosen = (facts["since"] <= request.version) & (facts["until"] > request.version)
    return living


async def _filtered(pinned: Pinned, request: Request, matches: int) -> tuple[Estimates, Estimates]:
    near, matching = await _sides(pinned, request, matches, request.limit, request.where)
    return estimates(*near), estimates(*matching)


async def _sides(pinned: Pinned, request: Request, matches: int, limit: int, where: str | None) -> tuple[Side, Side]:
    near, matching = await asyncio.gather(
        _near(pinned, request, matches, limit, where), _matching(pinned.table, request, limit, where)
    )
    return near, matching


async def _near(pinned: Pinned, request: Request, matches: int, limit: int, where: str | None) -> Side:
    """By their cosine, which for unit vectors is 1 - d²/2; LanceDB gives the squared distance d²."""
    if request.vector is None:
        return _NOTHING
    restricted = _restricted(pinned.table.query(), limit, where, "_distance")
    query = restricted.nearest_to(request.vector).distance_type("l2").nprobes(probes(pinned.rows, matches))
    ids, distances = _side(await query.to_arrow(), "_distance")
    return ids, 1.0 - distances / 2


def probes(rows: int, matches: int) -> int:
    """How many partitions of the vector index are searched where so many of its rows match, about.

    The fewer do, the more partitions hold what is near: at last all of them, which takes a third of the time that
    reading the vectors of a few rows takes.
    """
    return round(max(_PROBES, _PROBES * rows / max(1, matches), _PROBED_LEAST * rows / PARTITION))


async def _matching(table: "AsyncTable", request: Request, limit: int, where: str | None) -> Side:
    if not request.tokens:
        return _NOTHING
    query = _restricted(table.query(), limit, where, "_score").nearest_to_text(" ".join(request.tokens))
    return _side(await query.to_arrow(), "_score")


def _restricted(query: Any, limit: int, where: str | None, score: str) -> Any:
    filtered = query.where(where) if where is not None else query
    # The score is named, or every query prints a deprecation warning.
    return filtered.limit(limit).with_row_id().select([score])


def _side(found: pa.Table, score: str) -> Side:
    return found[ROW_ID].to_numpy(), found[score].to_numpy().astype(np.float64)


def estimates(ids: Ids, scores: "np.ndarray[Any, Any]") -> Estimates:
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))
