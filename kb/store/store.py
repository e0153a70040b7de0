"""Opening the store: one table of texts, and one table of chunk rows for each embedding space."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from kb.errors import KBError
from kb.store import rows, texts
from kb.store.chunks import ChunkTable
from kb.store.texts import TextTable

if TYPE_CHECKING:
    from lancedb.table import Table


class Store:
    """A LanceDB directory. Handles see other processes' commits at once and are never moved to older versions."""

    def __init__(self, path: Path) -> None:
        # Imported here: many commands write or read without a row of it.
        import lancedb

        self._path = path
        self._database = lancedb.connect(str(path), read_consistency_interval=timedelta(0))
        self._spaces: dict[str, ChunkTable] = {}
        self._texts: TextTable | None = None

    @property
    def texts(self) -> TextTable:
        if self._texts is None:
            self._texts = TextTable(self._table("texts", texts.SCHEMA))
        return self._texts

    def holds(self, space: str) -> bool:
        return f"chunks_{space}" in self._names()

    def _names(self) -> list[str]:
        return list(self._database.list_tables(limit=10_000).tables)

    def _table(self, name: str, schema: pa.Schema) -> "Table":
        # A reader may not be allowed to write, so a table that is there is only opened.
        if name in self._names():
            return self._database.open_table(name)
        return self._database.create_table(name, schema=schema, exist_ok=True)

    def chunks(self, space: str, dimensions: int) -> ChunkTable:
        """The rows of an embedding space; the table is made on first use."""
        if space not in self._spaces:
            table = ChunkTable(self._table(f"chunks_{space}", rows.schema(dimensions)), dimensions)
            if lacking := set(rows.schema(dimensions).names) - set(table.columns):
                raise KBError(
                    f"the chunk rows in {self._path} are of an older program, without {' and '.join(sorted(lacking))}: "
                    "make a new knowledge base with `kb init` and sync its sources again"
                )
            table.ensure_indexes()
            self._spaces[space] = table
        return self._spaces[space]

    def recover(self, head: int) -> None:
        """Takes back, in every table, whatever was written for versions after the head."""
        self.texts.recover(head)
        for table in self._every_space():
            table.recover(head)

    def permit(self, documents: Sequence[str], groups: Sequence[str]) -> None:
        """Sets the access list of the documents' rows in every space."""
        for table in self._every_space():
            table.permit(documents, groups)

    def _every_space(self) -> Iterator[ChunkTable]:
        for name in self._names():
            if name.startswith("chunks_"):
                table = self._database.open_table(name)
                yield ChunkTable(table, table.schema.field("vector").type.list_size)
