"""Upkeep of the store's tables: indexes follow the rows, files stay few, old ones go. No answer changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lancedb.index import FTS
    from lancedb.table import Table


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a table may go without upkeep: rows that its indexes lack, and files too small to stay alone."""

    uncovered: int
    fragments: int


IDLE: Final = Bounds(500, 20)
"""Once the writer has nothing else to do. A full-text query pays about 10 ms for each 1,000 rows not covered."""
NONE: Final = Bounds(-1, -1)
"""Upkeep at once."""
BUSY_ROWS: Final = 10_000
BUSY_SNAPSHOTS: Final = 100
"""Written while one snapshot follows another, before upkeep comes between: each snapshot adds files."""
_GRACE: Final = timedelta(minutes=10)
"""How long files of older table versions are kept for reads that still use them."""
_SHORT_GRACE: Final = timedelta(minutes=1)
"""The same where room is short. A search takes seconds at most, and looks again where a file has gone."""
_ROOM_LEAST: Final = 5
"""Times the bytes of what is stored. Each upkeep may write all of it anew: one version after the other, published for
ten minutes with 500,000 chunks, took fifty gigabytes in place of three.
"""

# Not `since` and `until`: nearly every row meets one of a version's two bounds, so that scanning the two columns takes
# a fraction of what reading them out of an index does.
CHUNK_INDEXES: Final = ("tokens", "chunk_id", "text_sha256", "document_id", "facets", "access")
TEXT_INDEXES: Final = ("layout",)
ORIGINAL_INDEXES: Final = ("content_sha256",)
_LISTS: Final = ("facets", "access")
"""Indexed, a filter that keeps 5 % of 100,000 rows takes full text from 43 to 11 ms, flat vectors from 140 to 21."""
_FLAT_MOST: Final = 5_000
"""Up to so many rows, comparing all of them is quick enough, and exact."""
PARTITION: Final = 256
"""Rows of a partition of the vector index."""
_PARTS_MOST: Final = 8
"""Each upkeep adds a part to the vector index, which every query looks at."""


def ensure_indexes(table: "Table", columns: Sequence[str]) -> None:
    """Makes the indexes that the table lacks: from the first row on, every read may rest on them."""
    from lancedb.index import BTree, LabelList

    indexed = {column for index in table.list_indices() for column in index.columns}
    for column in columns:
        if column not in indexed:
            config = whole_words() if column == "tokens" else LabelList() if column in _LISTS else BTree()
            table.create_index(column, config=config)


def grace(stored: int, free: int) -> timedelta:
    """For so many bytes of tables, as they stand, on a disk that has so many left."""
    return _GRACE if free > _ROOM_LEAST * stored else _SHORT_GRACE


def upkeep(table: "Table", bounds: Bounds, kept: timedelta) -> None:
    """Works where the table is past its bounds. Only for whoever holds the writer's lock.

    What a killed writer left is no part of any version, and goes whatever its age.
    """
    if _past(table, bounds):
        table.optimize(cleanup_older_than=kept, delete_unverified=True)
        if "vector" in table.schema.names:
            _follow_vectors(table)


def _past(table: "Table", bounds: Bounds) -> bool:
    lacking = (table.index_stats(index.name) for index in table.list_indices())
    uncovered = max((found.num_unindexed_rows for found in lacking if found), default=0)
    return uncovered > bounds.uncovered or table.stats()["fragment_stats"]["num_small_fragments"] > bounds.fragments


def _follow_vectors(table: "Table") -> None:
    """Trains a vector index once the rows outgrow flat search, and anew when too much was added to the last one.

    By their Euclidean distance, which ranks unit vectors as their cosine does. By cosine LanceDB compares what an index
    covers by this distance all the same, and what it does not cover by half of it; a dot product prefers partitions
    whose centre is long, which are not those with the nearest rows.
    """
    from lancedb.index import IvfSq

    trained = [index.name for index in table.list_indices() if index.columns == ["vector"]]
    statistics = table.index_stats(trained[0]) if trained else None
    parts = statistics.num_indices or 0 if statistics else 0
    if (table.count_rows() > _FLAT_MOST and not parts) or parts > _PARTS_MOST:
        # By the size of its partitions: `optimize` joins those of an index made by their number into a single one.
        config = IvfSq(distance_type="l2", target_partition_size=PARTITION)
        table.create_index("vector", config=config, replace=True)


def whole_words() -> "FTS":
    """The full-text index of analysed tokens."""
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
