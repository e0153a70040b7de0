"""Chunk rows: their schema, how they are written, and what their digests cover."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa

from kb.digest import canonical
from kb.nouns import FOREVER


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is indexed, alive from a version on. `tokens` are the analysed words, joined by spaces."""

    chunk_id: str
    document_id: str
    source: str
    uri: str
    text_sha256: str
    text: str
    tokens: str
    facets: tuple[str, ...]
    access: tuple[str, ...]
    vector: np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk's row as it is read: whose it is, what it holds by digest, and when it lives."""

    chunk_id: str
    document_id: str
    text_sha256: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class WholeRow(Row):
    """The same with what it holds; `tokens` are joined by spaces."""

    text: str
    tokens: str
    vector: np.ndarray[Any, np.dtype[np.float32]]


ROW_ID: Final = "_rowid"
"""LanceDB's name of where a row stands. One that changes is written anew, elsewhere, and no place is used twice."""
ROW: Final = tuple(field.name for field in fields(Row))
WHOLE_ROW: Final = tuple(field.name for field in fields(WholeRow))
"""The columns that they are read from."""
HELD: Final = WHOLE_ROW[len(ROW) :]
"""What a whole row has beyond a row."""


def schema(dimensions: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("chunk_id", pa.string(), nullable=False),
            pa.field("since", pa.int32(), nullable=False),
            pa.field("until", pa.int32(), nullable=False),
            pa.field("document_id", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("uri", pa.string(), nullable=False),
            pa.field("text_sha256", pa.string(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("tokens", pa.string(), nullable=False),
            pa.field("facets", pa.list_(pa.string()), nullable=False),
            pa.field("access", pa.list_(pa.string()), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dimensions), nullable=False),
        ]
    )


def living(rows: Sequence[ChunkRow], since: int, dimensions: int) -> pa.Table:
    """A table of rows that live from `since` on."""
    names = ("chunk_id", "document_id", "source", "uri", "text_sha256", "text", "tokens", "facets", "access")
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in names}
    columns["since"] = pa.array([since] * len(rows), pa.int32())
    columns["until"] = pa.array([FOREVER] * len(rows), pa.int32())
    flat = np.concatenate([row.vector for row in rows]) if rows else np.zeros(0, np.float32)
    columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dimensions)
    return pa.table(columns, schema=schema(dimensions))


def whole_rows(table: pa.Table) -> list[WholeRow]:
    return joined([Row(**row) for row in table.select(ROW).to_pylist()], table)


def joined(rows: Sequence[Row], held: pa.Table) -> list[WholeRow]:
    """Rows with what they hold, sharing nothing with the table, so that one may be kept without the others."""
    texts, tokens = held["text"].to_pylist(), held["tokens"].to_pylist()
    parts = zip(rows, texts, tokens, vectors(held), strict=True)
    return [
        WholeRow(row.chunk_id, row.document_id, row.text_sha256, row.since, row.until, text, words, vector.copy())
        for row, text, words, vector in parts
    ]


def vectors(rows: pa.Table | pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The rows' vectors, shape (rows, dimensions)."""
    column = rows.column("vector")
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(array.flatten(), dtype=np.float32).reshape(len(rows), column.type.list_size)


_WORDS: Final = ("chunk_id", "since", "document_id", "source", "uri", "text_sha256", "tokens")
SEALED: Final = (*_WORDS, "facets", "vector")
"""What a row's digest covers; the text is covered by its own digest."""


def members(rows: pa.Table | pa.RecordBatch) -> Iterator[bytes]:
    """What stands for each row in the snapshot's rows digest.

    All but the text, the end of its life, and its access list, which is not history: today's rules all versions.
    """
    columns = [rows.column(name).to_pylist() for name in _WORDS]
    facets = map(canonical, rows.column("facets").to_pylist())
    for vector, held, *words in zip(vectors(rows), facets, *columns, strict=True):
        sealed = "\0".join(map(str, words)).encode("utf-8", "surrogatepass")
        yield b"\0".join((sealed, held, vector.astype("<f4").tobytes()))
