"""The table of chunk rows of one embedding space, read as of any version."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pyarrow as pa

from kb.nouns import FOREVER
from kb.store import rows as shapes

if TYPE_CHECKING:
    from lancedb.index import FTS
    from lancedb.table import Table

_SCALARS: Final = ("chunk_id", "text_sha256", "since", "until", "document_id")
_LISTS: Final = ("facets", "access")
"""Indexed, a filter that keeps 5 % of 100,000 rows takes full text from 43 to 11 ms, flat vectors from 140 to 21."""
_UNCOVERED_MOST: Final = 2_000
"""Rows that the indexes may lack before upkeep folds them in: a full-text query pays about 10 ms a thousand."""
_GRACE: Final = timedelta(hours=1)
"""How long files of older table versions are kept for reads that still use them."""

T = TypeVar("T")


class ChunkTable:
    """Rows are inserted once and ended once; nothing else about them ever changes but who may see them."""

    def __init__(self, table: "Table", dimensions: int) -> None:
        self._table = table
        self.dimensions = dimensions

    @property
    def columns(self) -> list[str]:
        return list(self._table.schema.names)

    # Reading

    def nearest(self, vector: np.ndarray[Any, Any], where: str, limit: int) -> list[tuple[str, float]]:
        """The chunks of highest cosine similarity, best first, with it."""
        query = self._table.search(vector).distance_type("dot").where(where, prefilter=True).limit(limit)
        found = _patiently(lambda: query.select(["chunk_id", "_distance"]).to_arrow())
        pairs = zip(found["chunk_id"].to_pylist(), found["_distance"].to_pylist(), strict=True)
        return [(chunk, 1.0 - distance) for chunk, distance in pairs]

    def matching(self, tokens: Sequence[str], where: str, limit: int) -> list[str]:
        """Chunks that hold any of the tokens: candidates for BM25, likely ones first."""
        if not tokens:
            return []
        query = self._table.search(" ".join(tokens), query_type="fts").where(where, prefilter=True).limit(limit)
        found = _patiently(lambda: query.select(["chunk_id", "_score"]).to_arrow())
        return list(found["chunk_id"].to_pylist())

    def scan(self, where: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows of the filter, in no order."""
        yield from self._table.search().where(where).select(list(columns)).limit(None).to_batches()

    def some(self, chunk_ids: Iterable[str], where: str, columns: Sequence[str]) -> pa.Table:
        """The named chunks' rows within the filter."""
        return self._gather("chunk_id", chunk_ids, where, columns)

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
        for batch in batches(sorted(documents)):
            if self.count(one_of("document_id", batch)):
                self._table.update(where=one_of("document_id", batch), values={"access": list(groups)})

    def recover(self, head: int) -> None:
        """Takes back whatever was written for versions after the head."""
        if self.count(f"since > {head}"):
            self._table.delete(f"since > {head}")
        if self.count(f"until > {head} AND until < {FOREVER}"):
            self._table.update(where=f"until > {head} AND until < {FOREVER}", values={"until": FOREVER})

    def upkeep(self, force: bool = False) -> None:
        """Makes the indexes cover the rows, compacts, and drops files that no read can still need."""
        if force or self._table.index_stats("tokens_idx").num_unindexed_rows > _UNCOVERED_MOST:
            self._table.optimize(cleanup_older_than=_GRACE)

    def ensure_indexes(self) -> None:
        """Makes the indexes that the table lacks: from the first row on, every read may rest on them."""
        from lancedb.index import BTree, LabelList

        indexed = {column for index in self._table.list_indices() for column in index.columns}
        for column in sorted({*_SCALARS, *_LISTS, "tokens"} - indexed):
            config = _whole_words() if column == "tokens" else LabelList() if column in _LISTS else BTree()
            self._table.create_index(column, config=config)

    def _gather(self, column: str, values: Iterable[str], where: str, columns: Sequence[str]) -> pa.Table:
        wanted = self._table.schema.empty_table().select(list(columns))
        parts = [wanted]
        for batch in batches(sorted(set(values))):
            query = self._table.search().where(f"({where}) AND {one_of(column, batch)}").select(list(columns))
            parts.append(_patiently(lambda query=query: query.limit(None).to_arrow()))  # type: ignore[misc]
        return pa.concat_tables([part.select(list(columns)) for part in parts])


def alive(version: int) -> str:
    """The filter of the rows that live at a version."""
    return f"since <= {version} AND until > {version}"


def one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def any_of(column: str, values: Iterable[str]) -> str:
    """The filter of the rows whose list holds one of the values."""
    return f"array_has_any({column}, [{', '.join(quoted(value) for value in values)}])"


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _whole_words() -> "FTS":
    from lancedb.index import FTS

    # The tokens were analysed at indexing time; the index must take them as they are.
    return FTS(
        base_tokenizer="whitespace",
        stem=False,
        remove_stop_words=False,
        lower_case=False,
        ascii_folding=False,
        with_position=False,
        max_token_length=None,
    )


def batches(values: Sequence[str], size: int = 1_000) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _patiently(read: Callable[[], T]) -> T:
    """Reads once more where a file of an older table version was cleaned away meanwhile: the rows answer the same."""
    try:
        return read()
    except (OSError, RuntimeError, ValueError) as error:
        if "not found" not in str(error).lower():
            raise
        return read()
