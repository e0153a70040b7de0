"""The life spans of a table's rows, held in memory: which of the rows that an index names live at a version.

A row that changes is written anew, elsewhere and under another row id. So what is known of an id stays true, and only
ids that were never met need to be read: those beyond the greatest known one. An index searched for whatever it holds
and sifted by this answers in half the time that it needs under a condition on the two columns.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from lancedb.table import AsyncTable

Ids = np.ndarray[tuple[int], np.dtype[np.uint64]]
Versions = np.ndarray[tuple[int], np.dtype[np.int32]]
_SPARE: Final = 10_000
"""Row ids that are remembered though their rows are gone, beside as many as there are rows."""


class Lives:
    """Sixteen bytes a row. For one event loop: between two awaits it is whole."""

    def __init__(self) -> None:
        self._ids: Ids = np.zeros(0, np.uint64)
        self._since: Versions = np.zeros(0, np.int32)
        self._until: Versions = np.zeros(0, np.int32)

    async def spans(self, table: "AsyncTable", ids: Ids) -> tuple[Versions, Versions]:
        """`since` and `until` of rows of the table, as it stands."""
        if not self._know(ids):
            await self._follow(table)
        places = np.searchsorted(self._ids, ids)
        return self._since[places], self._until[places]

    def _know(self, ids: Ids) -> bool:
        places = np.searchsorted(self._ids, ids)
        return bool(np.all(places < len(self._ids)) and np.all(self._ids[places] == ids))

    async def _follow(self, table: "AsyncTable") -> None:
        rows = await table.count_rows()
        beyond = int(self._ids[-1]) if 0 < len(self._ids) <= 2 * rows + _SPARE else -1
        found = await _read(table, beyond)
        if beyond >= 0:
            # Another may have followed meanwhile: what both read is the same.
            known = int(np.searchsorted(self._ids, beyond, "right"))
            found = tuple(np.concatenate([old[:known], new]) for old, new in zip(self._all, found, strict=True))
        self._ids, self._since, self._until = found

    @property
    def _all(self) -> tuple[Any, Any, Any]:
        return self._ids, self._since, self._until


async def _read(table: "AsyncTable", beyond: int) -> tuple[Any, ...]:
    """Ids, `since` and `until` of the rows beyond an id, in the order of their ids."""
    query = table.query() if beyond < 0 else table.query().where(f"_rowid > {beyond}")
    found = await query.with_row_id().select(["since", "until"]).to_arrow()
    order = np.argsort(found["_rowid"].to_numpy())
    return tuple(found[name].to_numpy()[order] for name in ("_rowid", "since", "until"))
