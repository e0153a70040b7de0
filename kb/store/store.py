"""Opening the store: one table of texts, and one table of chunk rows for each embedding space."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from shutil import disk_usage
from typing import Final

from kb.errors import KBError
from kb.store import originals, rows, texts
from kb.store.caches import CACHES
from kb.store.chunks import ChunkTable
from kb.store.lance import Lance
from kb.store.leftovers import remove_leftovers
from kb.store.originals import OriginalTable
from kb.store.texts import TextTable
from kb.store.upkeep import CHUNK_INDEXES, ORIGINAL_INDEXES, TEXT_INDEXES, Bounds, ensure_indexes, grace, upkeep

_TEXTS: Final = "texts"
_ORIGINALS: Final = "originals"
_CHUNKS: Final = "chunks_"
"""Before the embedding space."""


class Store:
    """A LanceDB directory. Handles see other processes' commits at once and are never moved to older versions."""

    def __init__(self, path: Path, remembered: int = texts.REMEMBERED) -> None:
        """Remembers the places of so many passages."""
        self._path = path
        self._remembered = remembered
        self._lance = Lance(path)
        self._spaces: dict[str, ChunkTable] = {}
        self._texts: TextTable | None = None
        self._originals: OriginalTable | None = None

    @property
    def texts(self) -> TextTable:
        if self._texts is None:
            self._lance.find_or_make(_TEXTS, texts.SCHEMA)
            self._texts = TextTable(self._lance, _TEXTS, self._remembered)
        return self._texts

    @property
    def originals(self) -> OriginalTable:
        """Made by the first that keeps any."""
        if self._originals is None:
            ensure_indexes(self._lance.find_or_make(_ORIGINALS, originals.SCHEMA), ORIGINAL_INDEXES)
            self._originals = OriginalTable(self._lance, _ORIGINALS)
        return self._originals

    def find_originals(self) -> OriginalTable | None:
        """None where no source ever kept any."""
        if self._originals is None and self._lance.find(_ORIGINALS) is not None:
            self._originals = OriginalTable(self._lance, _ORIGINALS)
        return self._originals

    def holds(self, space: str) -> bool:
        return self._lance.find(_CHUNKS + space) is not None

    def chunks(self, space: str, dimensions: int) -> ChunkTable:
        """The rows of an embedding space; the table is made on first use."""
        if space not in self._spaces:
            self._lance.find_or_make(_CHUNKS + space, rows.schema(dimensions))
            table = ChunkTable(self._lance, _CHUNKS + space)
            if lacking := set(rows.schema(dimensions).names) - set(table.columns):
                raise KBError(
                    f"the chunk rows in {self._path} are of an older program, without {' and '.join(sorted(lacking))}: "
                    "make a new knowledge base with `kb init` and sync its sources again"
                )
            self._spaces[space] = table
        return self._spaces[space]

    def prepare(self, space: str, dimensions: int) -> ChunkTable:
        """The same for the writer, with all indexes on it and on the texts."""
        ensure_indexes(self._lance.find_or_make(_CHUNKS + space, rows.schema(dimensions)), CHUNK_INDEXES)
        ensure_indexes(self._lance.find_or_make(_TEXTS, texts.SCHEMA), TEXT_INDEXES)
        return self.chunks(space, dimensions)

    def upkeep(self, bounds: Bounds, kept: timedelta | None = None) -> None:
        """Brings every table back within the bounds. Only for whoever holds the writer's lock; readers go on.

        Files of older table versions are kept for so long, by default for what the disk has room for.
        """
        tables = {name: table for name in self._lance.names() if (table := self._lance.find(name)) is not None}
        if kept is None:
            stored = sum(table.stats()["total_bytes"] for table in tables.values())
            kept = grace(stored, disk_usage(self._path).free)
        for name, table in tables.items():
            upkeep(table, bounds, kept)
            remove_leftovers(self._path / f"{name}.lance")
        CACHES.tend()

    def spaces(self) -> Iterator[ChunkTable]:
        """The rows of every embedding space that was ever used."""
        for name in self._lance.names():
            if name.startswith(_CHUNKS) and self._lance.find(name) is not None:
                yield ChunkTable(self._lance, name)

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
