"""A LanceDB directory, connected with the process's caches: anew whenever those were begun anew."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from kb.store.caches import CACHES

if TYPE_CHECKING:
    from lancedb import AsyncConnection, Session
    from lancedb.db import DBConnection
    from lancedb.table import AsyncTable, Table

_AT_ONCE: Final = timedelta(0)
"""After which a handle looks for other processes' commits."""


class Lance:
    """For any number of threads. Handles see other processes' commits at once."""

    def __init__(self, path: Path) -> None:
        # Its warnings tell of its own affairs, such as partitions that an index joined, on everybody's terminal.
        os.environ.setdefault("LANCEDB_LOG", "error")
        self._path = path
        self._connected = _Connected(path, CACHES.session)

    def names(self) -> Sequence[str]:
        return list(self._now.database.list_tables(limit=10_000).tables)

    def find(self, name: str) -> "Table | None":
        """None also for a table whose making was cut off: its directory is there, and no version of it."""
        now = self._now
        try:
            now.tables[name] = now.database.open_table(name)
            return now.tables[name]
        except ValueError as error:
            if "not found" not in str(error):
                raise
            return None

    def find_or_make(self, name: str, schema: pa.Schema) -> "Table":
        # A reader may not be allowed to write, so a table that is there is only opened.
        return self.find(name) or self._now.database.create_table(name, schema=schema, exist_ok=True)

    def table(self, name: str) -> "Table":
        """One that is there; the handle is everybody's, so nobody moves it to another version."""
        handles = self._now.tables
        if name not in handles:
            handles[name] = self._now.database.open_table(name)
        return handles[name]

    async def read(self, name: str) -> "AsyncTable":
        """The same for queries that run side by side."""
        handles = self._now.read
        if name not in handles:
            handles[name] = await self.open(name)
        return handles[name]

    async def open(self, name: str) -> "AsyncTable":
        """A handle of one's own."""
        return await (await self._now.readers()).open_table(name)

    @property
    def _now(self) -> "_Connected":
        session = CACHES.session
        if self._connected.session is not session:
            self._connected = _Connected(self._path, session)
        return self._connected


class _Connected:
    def __init__(self, path: Path, session: "Session") -> None:
        # Imported here: many commands write or read without a row of it.
        import lancedb

        self.session = session
        self.database: DBConnection = lancedb.connect(str(path), read_consistency_interval=_AT_ONCE, session=session)
        self.tables: dict[str, Table] = {}
        self.read: dict[str, AsyncTable] = {}
        self._path = path
        self._readers: AsyncConnection | None = None

    async def readers(self) -> "AsyncConnection":
        if self._readers is None:
            import lancedb

            self._readers = await lancedb.connect_async(
                str(self._path), read_consistency_interval=_AT_ONCE, session=self.session
            )
        return self._readers


def gone(error: Exception) -> bool:
    """Whether the error tells of a file of an older table version, which was cleaned away meanwhile."""
    return "not found" in str(error).lower()
