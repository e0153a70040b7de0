"""The table of chunk rows of one embedding space, read as of any version."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kb.access import Groups
from kb.batches import batches
from kb.nouns import FOREVER
from kb.store import rows as shapes
from kb.store.addressed import KEYS_AT_ONCE
from kb.store.candidates import Found, Request
from kb.store.census import Counted
from kb.store.conditions import one_of
from kb.store.lance import Lance
from kb.store.reader import Reader
from kb.store.rows import Row, WholeRow

if TYPE_CHECKING:
    from lancedb.table import Table


class ChunkTable:
    """Rows are inserted once and ended once; nothing else about them ever changes but who may see them."""

    def __init__(self, lance: Lance, name: str) -> None:
        self._lance = lance
        self._name = name
        self._reader = Reader(lance, name)

    @property
    def _table(self) -> "Table":
        return self._lance.table(self._name)

    @property
    def columns(self) -> list[str]:
        return list(self._table.schema.names)

    @cached_property
    def dimensions(self) -> int:
        return int(self._table.schema.field("vector").type.list_size)

    # Reading

    def find(self, request: Request) -> Found:
        """What is nearest to the request's vector and what holds its tokens."""
        return self._reader.find(request)

    def read_on(self, found: Found, row_ids: Iterable[int]) -> Found:
        """With those rows of what was found, too."""
        return self._reader.read_on(found, row_ids)

    def counted(self, version: int, keys: Groups, terms: Iterable[str]) -> Counted:
        """What BM25 must know of the rows that live at the version and that the keys open."""
        return self._reader.count(version, keys, terms)

    def scan(self, where: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows of the filter, in no order."""
        yield from self._table.search().where(where).select(list(columns)).limit(None).to_batches()

    def some(self, chunk_ids: Iterable[str], where: str, columns: Sequence[str]) -> pa.Table:
        """The named chunks' rows within the filter."""
        return self._gather("chunk_id", chunk_ids, where, columns)

    def whole(self, chunk_ids: Iterable[str], where: str) -> list[WholeRow]:
        """The same with all that a search asks of a row."""
        return shapes.whole_rows(self.some(chunk_ids, where, shapes.WHOLE_ROW))

    def holders(self, text_sha256s: Iterable[str], where: str) -> list[Row]:
        """The rows within the filter that hold one of the texts."""
        found = self._gather("text_sha256", text_sha256s, where, shapes.ROW)
        return [Row(**row) for row in found.to_pylist()]

    def vectors_of(self, text_sha256s: Iterable[str]) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        """Vectors of those of the texts that were ever embedded, by the texts' SHA-256."""
        found = self._gather("text_sha256", text_sha256s, "true", ["text_sha256", "vector"])
        return dict(zip(found["text_sha256"].to_pylist(), shapes.vectors(found), strict=True))

    def count(self, where: str | None = None) -> int:
        return int(self._table.count_rows(where))

    # Writing

    def write(self, born: pa.Table, ended: pa.Table) -> None:
        """Inserts rows and ends others in one atomic version of the table."""
        both = pa.concat_tables([born, ended])
        if len(both):
            merge = self._table.merge_insert(["chunk_id", "since"])
            merge.when_matched_update_all().when_not_matched_insert_all().execute(both)

    def permit(self, documents: Iterable[str], groups: Sequence[str]) -> None:
        """Sets the access list of all the documents' rows, whatever version they live at."""
        for batch in batches(sorted(documents), KEYS_AT_ONCE):
            if self.count(one_of("document_id", batch)):
                self._table.update(where=one_of("document_id", batch), values={"access": list(groups)})

    def recover(self, head: int) -> None:
        """Takes back whatever was written for versions after the head."""
        if self.count(f"since > {head}"):
            self._table.delete(f"since > {head}")
        if self.count(f"until > {head} AND until < {FOREVER}"):
            self._table.update(where=f"until > {head} AND until < {FOREVER}", values={"until": FOREVER})

    def weigh(self, where: str) -> tuple[int, int]:
        """How many rows the filter has, and the bytes of their texts, tokens and vectors before any compression."""
        rows = size = 0
        for batch in self.scan(where, ["text", "tokens"]):
            rows += len(batch)
            size += sum(bytes_of(batch.column(name)) for name in ("text", "tokens"))
        return rows, size + rows * self.dimensions * 4

    def forget(self, where: str) -> None:
        """Removes the rows of the filter; their space comes back with the next upkeep."""
        if self.count(where):
            self._table.delete(where)

    def _gather(self, column: str, values: Iterable[str], where: str, columns: Sequence[str]) -> pa.Table:
        parts = []
        for batch in batches(sorted(set(values)), KEYS_AT_ONCE):
            parts.append(self._reader.read(f"({where}) AND {one_of(column, batch)}", columns))
        return pa.concat_tables(parts) if parts else self._table.schema.empty_table().select(list(columns))


def bytes_of(texts: pa.Array | pa.ChunkedArray) -> int:
    """The length of all the texts, in UTF-8."""
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)
