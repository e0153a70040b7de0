"""Rows that searches have read, held in memory by row id: a row that changes is written anew, under another id."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache

from kb.store.known import KnownRows
from kb.store.rows import HELD, ROW_ID, WholeRow, joined

if TYPE_CHECKING:
    from lancedb.table import AsyncTable

_BYTES: Final = 64 * 2**20
_OVERHEAD: Final = 800
"""Bytes that a row's objects take beside what they hold."""


class RememberedRows:
    """Those that were asked for last. For one event loop: between two awaits it is whole."""

    def __init__(self, known: KnownRows) -> None:
        self._known = known
        self._rows: LRUCache[int, WholeRow] = LRUCache(_BYTES, getsizeof=_size)

    async def take(self, table: "AsyncTable", ids: Iterable[int]) -> dict[int, WholeRow]:
        """Rows that the table holds, by row id; in no order."""
        wanted = set(ids)
        found = {row_id: row for row_id in wanted if (row := self._rows.get(row_id)) is not None}
        if missing := sorted(wanted - found.keys()):
            read = await table.take_row_ids(missing).with_row_id().select(list(HELD)).to_arrow()
            rows = await self._known.rows(table, read[ROW_ID].to_numpy())
            new = dict(zip(read[ROW_ID].to_pylist(), joined(rows, read), strict=True))
            for row_id, row in new.items():
                # One that is greater than all that may be remembered is not.
                if _size(row) <= self._rows.maxsize:
                    self._rows[row_id] = row
            found |= new
        return found


def _size(row: WholeRow) -> int:
    return _OVERHEAD + len(row.text) + len(row.tokens) + row.vector.nbytes
