"""Opening the store: one table of texts, and one table of chunk rows for each embedding space."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from kb.errors import KBError
from kb.store import originals, rows, texts
from kb.store.chunks import ChunkTable
from kb.store.leftovers import remove_leftovers
from kb.store.originals import OriginalTable
from kb.store.reader import Reader
from kb.store.texts import TextTable
from kb.store.upkeep import CHUNK_INDEXES, GRACE, ORIGINAL_INDEXES, TEXT_INDEXES, Bounds, ensure_indexes, upkeep

if TYPE_CHECKING:
    from lancedb import AsyncConnection, Session
    from lancedb.table import AsyncTable, Table


_INDEX_BYTES: Final = 2**30
_METADATA_BYTES: Final = 32 * 2**20
"""What describes a table's versions and files. By itself LanceDB keeps a gigabyte of it: by so much would a daemon grow
that publishes all day."""


@cache
def caches() -> "Session":
    """LanceDB's caches, shared by all of the process."""
    from lancedb import Session

    return Session(index_cache_size_bytes=_INDEX_BYTES, metadata_cache_size_bytes=_METADATA_BYTES)


class Store:
    """A LanceDB directory. Handles see other processes' commits at once and are never moved to older versions."""

    def __init__(self, path: Path) -> None:
        # Its warnings tell of its own affairs, such as partitions that an index joined, on everybody's terminal.
        os.environ.setdefault("LANCEDB_LOG", "error")
        # Imported here: many commands write or read without a row of it.
        import lancedb

        self._path = path
        self._database = lancedb.connect(str(path), read_consistency_interval=timedelta(0), session=caches())
        self._spaces: dict[str, ChunkTable] = {}
        self._texts: TextTable | None = None
        self._originals: OriginalTable | None = None
        self._readers: AsyncConnection | None = None

    @property
    def texts(self) -> TextTable:
        if self._texts is None:
            self._texts = TextTable(self._table("texts", texts.SCHEMA), self._reader("texts"))
        return self._texts

    @property
    def originals(self) -> OriginalTable:
        """Made by the first that keeps any."""
        if self._originals is None:
            table = self._table("originals", originals.SCHEMA)
            ensure_indexes(table, ORIGINAL_INDEXES)
            self._originals = OriginalTable(table, self._reader("originals"))
        return self._originals

    def find_originals(self) -> OriginalTable | None:
        """None where no source ever kept any."""
        table = None if self._originals else self._opened("originals")
        if table is not None:
            self._originals = OriginalTable(table, self._reader("originals"))
        return self._originals

    def holds(self, space: str) -> bool:
        return self._opened(f"chunks_{space}") is not None

    def _names(self) -> list[str]:
        return list(self._database.list_tables(limit=10_000).tables)

    def _table(self, name: str, schema: pa.Schema) -> "Table":
        # A reader may not be allowed to write, so a table that is there is only opened.
        return self._opened(name) or self._database.create_table(name, schema=schema, exist_ok=True)

    def _opened(self, name: str) -> "Table | None":
        """None also for a table whose making was cut off: its directory is there, and no version of it."""
        try:
            return self._database.open_table(name)
        except ValueError as error:
            if "not found" not in str(error):
                raise
            return None

    def _tables(self) -> "list[Table]":
        return [table for name in self._names() if (table := self._opened(name)) is not None]

    def chunks(self, space: str, dimensions: int) -> ChunkTable:
        """The rows of an embedding space; the table is made on first use."""
        if space not in self._spaces:
            table = self._chunk_table(self._table(f"chunks_{space}", rows.schema(dimensions)))
            if lacking := set(rows.schema(dimensions).names) - set(table.columns):
                raise KBError(
                    f"the chunk rows in {self._path} are of an older program, without {' and '.join(sorted(lacking))}: "
                    "make a new knowledge base with `kb init` and sync its sources again"
                )
            self._spaces[space] = table
        return self._spaces[space]

    def prepare(self, space: str, dimensions: int) -> ChunkTable:
        """The same for the writer, with all indexes on it and on the texts."""
        ensure_indexes(self._table(f"chunks_{space}", rows.schema(dimensions)), CHUNK_INDEXES)
        ensure_indexes(self._table("texts", texts.SCHEMA), TEXT_INDEXES)
        return self.chunks(space, dimensions)

    def upkeep(self, bounds: Bounds, grace: timedelta = GRACE) -> None:
        """Brings every table back within the bounds. Only for whoever holds the writer's lock; readers go on."""
        for table in self._tables():
            upkeep(table, bounds, grace)
            remove_leftovers(self._path / f"{table.name}.lance")

    def _chunk_table(self, table: "Table") -> ChunkTable:
        return ChunkTable(table, self._reader(table.name))

    def _reader(self, name: str) -> Reader:
        async def open_table() -> "AsyncTable":
            if self._readers is None:
                import lancedb

                self._readers = await lancedb.connect_async(
                    str(self._path), read_consistency_interval=timedelta(0), session=caches()
                )
            return await self._readers.open_table(name)

        return Reader(open_table)

    def spaces(self) -> Iterator[ChunkTable]:
        """The rows of every embedding space that was ever used."""
        for table in self._tables():
            if table.name.startswith("chunks_"):
                yield self._chunk_table(table)

    def recover(self, head: int) -> None:
        """Takes back, in every table, whatever was written for versions after the head."""
        self.texts.recover(head)
        if kept := self.find_originals():
            kept.recover(head)
        for table in self.spaces():
            table.recover(head)

    def permit(self, documents: Sequence[str], groups: Sequence[str]) -> None:
        """Sets the access list of the documents' rows in every space."""
        for table in self.spaces():
            table.permit(documents, groups)
