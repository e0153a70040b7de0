"""The table of chunk rows of one embedding space, read as of any version."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kb.access import Groups
from kb.batches import batches
from kb.errors import Corrupt
from kb.nouns import FOREVER
from kb.store import rows as shapes
from kb.store.addressed import KEYS_AT_ONCE
from kb.store.candidates import Found, Request
from kb.store.census import Counted
from kb.store.conditions import among, one_of
from kb.store.lance import Lance
from kb.store.reader import Reader
from kb.store.rows import ROW_ID, Row, WholeRow

if TYPE_CHECKING:
    from lancedb.table import Table

_IDS_AT_ONCE: Final = 50_000
"""Row ids in one condition: to end so many takes a second."""


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

    def make_image(self, upto: int) -> None:
        """Has searches find all rows in memory, from now on; snapshots up to `upto` are published."""
        self._reader.make_image(upto)

    def overlook(self, request: Request) -> Found | None:
        """What is nearest to the request's vector and what holds its tokens; None where no image is at hand."""
        return self._reader.overlook(request)

    def find(self, request: Request, matches: int) -> Found:
        """The same by the indexes; about so many rows are what the request is among."""
        return self._reader.find(request, matches)

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

    # Rows begin to live and end by two versions of the table: until a snapshot is published, neither shows. To do both
    # at once takes a merge, which looks at all rows: with 900,000 of them that is 125 ms in place of 50.

    def write(self, born: pa.Table) -> None:
        """Inserts rows, which nobody sees before the version that they live from is published."""
        if len(born):
            self._table.add(born)

    def end(self, dying: pa.Table, version: int) -> None:
        """Rows, known by their `ROW_ID` and `chunk_id`, live to that version. Raises Corrupt where some are missing."""
        ended = sum(self._end(among(ROW_ID, ids), version) for ids in batches(dying[ROW_ID].to_pylist(), _IDS_AT_ONCE))
        if ended < len(dying):
            # Upkeep has moved them since they were read.
            chunks = batches(dying["chunk_id"].to_pylist(), KEYS_AT_ONCE)
            ended += sum(self._end(one_of("chunk_id", ids), version) for ids in chunks)
        if ended < len(dying):
            raise Corrupt(f"{len(dying) - ended} chunk rows that live at the head are missing: run `kb verify`")

    def _end(self, where: str, version: int) -> int:
        condition = f"{where} AND since < {version} AND until = {FOREVER}"
        return int(self._table.update(where=condition, values={"until": version}).rows_updated)

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
        return pa.concat_tables(parts) if parts else self._reader.read("false", columns)


def bytes_of(texts: pa.Array | pa.ChunkedArray) -> int:
    """The length of all the texts, in UTF-8."""
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)
