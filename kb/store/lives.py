"""The life spans and copies of a table's rows, held in memory: which rows live at a version, which texts stand twice.

A row that changes is written anew, elsewhere and under another row id. So what is known of an id stays true, and only
ids that were never met need to be read: those beyond the greatest known one. An index searched for whatever it holds
and sifted by this answers in half the time that it needs under a condition on the two columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from kb.store.copies import Copies, hashes

if TYPE_CHECKING:
    from lancedb.arrow import AsyncRecordBatchReader
    from lancedb.table import AsyncTable

Ids = np.ndarray[tuple[int], np.dtype[np.uint64]]
Versions = np.ndarray[tuple[int], np.dtype[np.int32]]
_ID: Final = "_rowid"
_SPANS: Final = ("since", "until")
_COPIES: Final = ("text_sha256", "chunk_id")
_SPARE: Final = 10_000
"""Row ids that are remembered though their rows are gone, beside as many as there are rows."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Life spans by row id, in the order of the ids."""

    ids: Ids = field(default_factory=lambda: np.zeros(0, np.uint64))
    since: Versions = field(default_factory=lambda: np.zeros(0, np.int32))
    until: Versions = field(default_factory=lambda: np.zeros(0, np.int32))

    def know(self, ids: Ids) -> bool:
        places = np.searchsorted(self.ids, ids)
        return bool(np.all(places < len(self.ids)) and np.all(self.ids[places] == ids))

    def of(self, ids: Ids) -> tuple[Versions, Versions]:
        """`since` and `until` of ids that are known."""
        places = np.searchsorted(self.ids, ids)
        return self.since[places], self.until[places]

    def followed_by(self, beyond: int, more: "Spans") -> "Spans":
        """Those up to an id, and then those that were read beyond it."""
        known = int(np.searchsorted(self.ids, beyond, "right"))
        pairs = ((self.ids, more.ids), (self.since, more.since), (self.until, more.until))
        return Spans(*(np.concatenate([old[:known], new]) for old, new in pairs))


class Lives:
    """Thirty-two bytes a row. For one event loop: between two awaits it is whole."""

    def __init__(self) -> None:
        self._known = Spans()
        self._copies = Copies()
        self._version = -1
        """Of the table: the rows of all up to it were met."""

    async def spans(self, table: "AsyncTable", ids: Ids) -> tuple[Versions, Versions]:
        """`since` and `until` of rows of the table, as it stands."""
        if not self._known.know(ids):
            await self._follow(table)
        if self._known.know(ids):
            return self._known.of(ids)
        # The table stands at an older version than what is known, whose rows have moved since.
        batches = [batch async for batch in await _reading(table, -1, _SPANS)]
        return _spans(pa.Table.from_batches(batches)).of(ids)

    async def copied(self, table: "AsyncTable", version: int, texts: Iterable[str]) -> frozenset[str]:
        """Those of the texts, by digest, that several chunks of the table at its version hold, and a few more."""
        if version > self._version:
            await self._follow(table)
            self._version = max(version, self._version)
        return self._copies.among(texts)

    async def _follow(self, table: "AsyncTable") -> None:
        rows, known = await table.count_rows(), self._known.ids
        beyond = int(known[-1]) if 0 < len(known) <= 2 * rows + _SPARE else -1
        parts, copied = [], []
        # Batch by batch: the digests of all rows at once, as Python's strings, are more than all that is kept of them.
        async for batch in await _reading(table, beyond, (*_SPANS, *_COPIES)):
            parts.append(batch.select([_ID, *_SPANS]))
            copied.append([hashes(batch.column(name).to_pylist()) for name in _COPIES])
        if not parts:
            return
        found = _spans(pa.Table.from_batches(parts))
        # Another may have followed meanwhile: what both read is the same.
        self._known = found if beyond < 0 else self._known.followed_by(beyond, found)
        # Never begun anew: what is met twice is no copy, and what is gone costs a look at most.
        self._copies = self._copies.followed_by(*map(np.concatenate, zip(*copied, strict=True)))


async def _reading(table: "AsyncTable", beyond: int, columns: Sequence[str]) -> "AsyncRecordBatchReader":
    """The rows beyond an id."""
    query = table.query() if beyond < 0 else table.query().where(f"{_ID} > {beyond}")
    return await query.with_row_id().select(list(columns)).to_batches()


def _spans(rows: pa.Table) -> Spans:
    order = np.argsort(rows[_ID].to_numpy())
    return Spans(*(rows[name].to_numpy()[order] for name in (_ID, *_SPANS)))
