"""What is known of a table's rows, held in memory: whose they are, when they live, and which texts stand twice.

A row that changes is written anew, elsewhere and under another row id. So what is known of an id stays true, and only
ids that were never met need to be read: those beyond the greatest known one. An index searched for whatever it holds
and sifted by this answers in half the time that it needs under a condition on the two columns, and so much less of a
row is left to be read that it takes two thirds of the time.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from kb.store.copies import Copies
from kb.store.packed import hexadecimal, packed
from kb.store.rows import ROW_ID, Row

if TYPE_CHECKING:
    from lancedb.arrow import AsyncRecordBatchReader
    from lancedb.table import AsyncTable

Ids = np.ndarray[tuple[int], np.dtype[np.uint64]]
Facts = np.ndarray[tuple[int], np.dtype[np.void]]
"""Of one row each: `since`, `until`, and the ids and the digest, packed."""
_SPANS: Final = ("since", "until")
_PACKED: Final = {"chunk_id": 16, "document_id": 16, "text_sha256": 32}
"""Bytes of each."""
_COLUMNS: Final = (*_SPANS, *_PACKED)
_FACTS: Final = np.dtype([*((name, "i4") for name in _SPANS), *((name, f"V{size}") for name, size in _PACKED.items())])
_SPARE: Final = 10_000
"""Row ids that are remembered though their rows are gone, beside as many as there are rows."""


class KnownRows:
    """A hundred bytes a row. For one event loop: between two awaits it is whole."""

    def __init__(self) -> None:
        self._known = _Known()
        self._copies = Copies()
        self._version = -1
        """Of the table: the rows of all up to it were met."""

    async def facts(self, table: "AsyncTable", ids: Ids) -> Facts:
        """Of rows of the table, as it stands."""
        found = self._known.of(ids)
        if found is None:
            await self._follow(table)
            found = self._known.of(ids)
        if found is None:
            # The table stands at an older version than what is known, whose rows have moved since.
            before = _Known()
            before.put(*await _read(table, -1))
            found = before.of(ids)
        assert found is not None, "all rows of the table were read"
        return found

    async def rows(self, table: "AsyncTable", ids: Ids) -> list[Row]:
        """The same, row by row."""
        facts = await self.facts(table, ids)
        spans = zip(*(facts[name].tolist() for name in _SPANS), strict=True)
        named = zip(*(hexadecimal(facts[name]) for name in _PACKED), strict=True)
        return [
            Row(chunk_id, document_id, text_sha256, since, until)
            for (chunk_id, document_id, text_sha256), (since, until) in zip(named, spans, strict=True)
        ]

    async def copied(self, table: "AsyncTable", version: int, texts: Iterable[str]) -> frozenset[str]:
        """Those of the texts, by digest, that several chunks of the table at its version hold, and a few more."""
        if version > self._version:
            await self._follow(table)
            self._version = max(version, self._version)
        return self._copies.among(texts)

    async def _follow(self, table: "AsyncTable") -> None:
        rows, beyond = await table.count_rows(), self._known.last
        if len(self._known) > 2 * rows + _SPARE:
            beyond = -1
        ids, facts = await _read(table, beyond)
        # Another may have followed meanwhile: what both read is the same.
        self._known.put(ids, facts)
        # Never begun anew: what is met twice is no copy, and what is gone costs a look at most.
        self._copies = self._copies.followed_by(facts["text_sha256"], facts["chunk_id"])


class _Known:
    """Facts by row id, in the order of the ids. There is room for more, lest each version copy all that is known."""

    def __init__(self) -> None:
        self._ids: Ids = np.zeros(0, np.uint64)
        self._facts: Facts = np.zeros(0, _FACTS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> int:
        """The greatest id; -1 where there is none."""
        return int(self._ids[self._count - 1]) if self._count else -1

    def of(self, ids: Ids) -> Facts | None:
        """None where one of them is not known."""
        known = self._ids[: self._count]
        places = np.searchsorted(known, ids)
        if np.any(places == len(known)) or np.any(known[places] != ids):
            return None
        return self._facts[places]

    def put(self, ids: Ids, facts: Facts) -> None:
        """Those of rows in the order of their ids, in place of whatever is known from the first of them on."""
        if not len(ids):
            return
        first = int(np.searchsorted(self._ids[: self._count], ids[0]))
        self._count = first + len(ids)
        if self._count > len(self._ids):
            self._ids, self._facts = (_roomier(one, first, self._count) for one in (self._ids, self._facts))
        self._ids[first : self._count] = ids
        self._facts[first : self._count] = facts


def _roomier(values: np.ndarray, kept: int, needed: int) -> np.ndarray:
    """The first of the values, and room for half as many again as are needed."""
    grown = np.zeros(needed * 3 // 2, values.dtype)
    grown[:kept] = values[:kept]
    return grown


async def _read(table: "AsyncTable", beyond: int) -> tuple[Ids, Facts]:
    """The rows beyond an id, in the order of their ids."""
    query = table.query() if beyond < 0 else table.query().where(f"{ROW_ID} > {beyond}")
    reader: AsyncRecordBatchReader = await query.with_row_id().select(list(_COLUMNS)).to_batches()
    ids, facts = [np.zeros(0, np.uint64)], [np.zeros(0, _FACTS)]
    # Batch by batch: the digests of all rows at once, as Python's strings, are more than all that is kept of them.
    async for batch in reader:
        # A copy: a view would keep the whole batch.
        ids.append(batch.column(ROW_ID).to_numpy().copy())
        facts.append(_facts(batch))
    found = np.concatenate(ids)
    order = np.argsort(found)
    return found[order], np.concatenate(facts)[order]


def _facts(batch: pa.RecordBatch) -> Facts:
    facts = np.zeros(len(batch), _FACTS)
    for name in _SPANS:
        facts[name] = batch.column(name).to_numpy()
    for name, size in _PACKED.items():
        facts[name] = packed(batch.column(name).to_pylist(), size)
    return facts
