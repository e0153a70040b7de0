"""Upkeep of a table of chunk rows: indexes follow the rows, files stay few, old ones go. No answer changes."""

from datetime import timedelta
from math import isqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lancedb.index import FTS
    from lancedb.table import Table

# Not `since` and `until`: nearly every row meets one of a version's two bounds, so that scanning the two columns takes
# a fraction of what reading them out of an index does.
_KEYS: Final = ("chunk_id", "text_sha256")
_WORDS: Final = "tokens_idx"
_UNCOVERED_MOST: Final = 2_000
"""Rows that the indexes may lack before upkeep folds them in: a full-text query pays about 10 ms a thousand."""
_FLAT_MOST: Final = 20_000
"""Up to so many rows, comparing all of them is quick enough, and exact."""
_GRACE: Final = timedelta(hours=1)
"""How long files of older table versions are kept for reads that still use them."""


def upkeep(table: "Table", force: bool) -> None:
    """Works where there is enough to do, or with `force`."""
    if force or _uncovered(table) > _UNCOVERED_MOST:
        table.optimize(cleanup_older_than=_GRACE)
        _follow_vectors(table)


def ensure_indexes(table: "Table") -> None:
    """Makes the indexes that the table lacks: from the first row on, every read may rest on them."""
    from lancedb.index import BTree

    indexed = {column for index in table.list_indices() for column in index.columns}
    for column in sorted({*_KEYS, "tokens"} - indexed):
        table.create_index(column, config=_whole_words() if column == "tokens" else BTree())


def _uncovered(table: "Table") -> int:
    statistics = table.index_stats(_WORDS)
    return int(statistics.num_unindexed_rows) if statistics else 0


def _follow_vectors(table: "Table") -> None:
    """Trains a vector index once the rows outgrow flat search, and another where they have outgrown its partitions."""
    from lancedb.index import IvfSq

    trained = {index.name for index in table.list_indices() if index.columns == ["vector"]}
    partitions = isqrt(table.count_rows())
    if partitions**2 <= _FLAT_MOST or any(2 * _partitions(name) > partitions for name in trained):
        return
    config = IvfSq(distance_type="dot", num_partitions=partitions)
    table.create_index("vector", config=config, name=f"vector_{partitions}", replace=True)
    for name in trained:
        table.drop_index(name)


def _partitions(name: str) -> int:
    """By the index's name: its statistics do not tell."""
    return int(name.rpartition("_")[2])


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
