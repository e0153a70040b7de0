"""What a user would otherwise do with LanceDB to keep the past: three designs, and the plain table without any past.

All index the same analysed tokens by white space, and have the vector index that Palimpsest has of the first rows, if
it has one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree, IvfFlat, IvfPq, IvfRq, IvfSq
from lancedb.table import Table

from kb.analysis import analyse
from kb.nouns import FOREVER
from kb.store.conditions import one_of
from kb.store.upkeep import PARTITION

OPTIMISE_EVERY: Final = 25
"""Commits."""
K: Final = 10
_NEVER: Final = timedelta(days=3650)
_INDEXES: Final = {"IVF_SQ": IvfSq, "IVF_FLAT": IvfFlat, "IVF_PQ": IvfPq, "IVF_RQ": IvfRq}

RIVALS: Final[Mapping[str, str]] = {
    "checkout": "a LanceDB version per snapshot",
    "checkout-optimised": "the same, `optimize()` every 25",
    "column": "version column, no upkeep",
}

Rows = pa.Table
Ask = Callable[[str, np.ndarray], None]


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """The kind of a vector index and its distance; its partitions are as large as Palimpsest's."""

    kind: str
    distance: str

    def make(self, table: Table) -> None:
        config = _INDEXES[self.kind](distance_type=self.distance, target_partition_size=PARTITION)
        table.create_index("vector", config=config)


def vector_index_of(store: Path, name: str) -> VectorIndex | None:
    """The index that Palimpsest's table has on its vectors, None where it searches them all."""
    table = lancedb.connect(str(store)).open_table(name)
    for index in table.list_indices():
        if index.columns == ["vector"]:
            statistics = table.index_stats(index.name)
            return VectorIndex(statistics.index_type, statistics.distance_type or "l2")
    return None


class Plain:
    """A table of one version's rows, fresh: the full copy of it, and the measure of what LanceDB itself costs."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fill(self, rows: Rows, index: VectorIndex | None) -> None:
        _fill(self.place, rows, index)

    def asker(self, probes: int | None = None) -> Ask:
        """Searches as many partitions of the vector index; LanceDB's own 20 where nothing else is said."""
        return _asker(_open(self.place), None, probes)


@dataclass
class CheckoutPerSnapshot:
    """One LanceDB version per snapshot, of rows that are updated where they stand; the past by `checkout`."""

    place: Path
    optimises: bool
    versions: list[int] = field(default_factory=list)
    """LanceDB's number of each of ours."""
    spent_ms: list[float] = field(default_factory=list)

    def fill(self, rows: Rows, index: VectorIndex | None) -> None:
        table = _fill(self.place, rows, index)
        self.versions.append(table.version)

    def commit(self, born: Rows) -> None:
        table = _open(self.place)
        began = time.perf_counter()
        table.merge_insert("slot").when_matched_update_all().when_not_matched_insert_all().execute(born)
        self.spent_ms.append((time.perf_counter() - began) * 1000)
        if self.optimises and len(self.versions) % OPTIMISE_EVERY == 0:
            # Nothing is cleaned: old versions are what it is for.
            table.optimize(cleanup_older_than=_NEVER)
        table.checkout_latest()
        self.versions.append(table.version)

    def asker(self, version: int) -> Ask:
        """Searches a handle of its own, moved there beforehand."""
        table = _open(self.place)
        table.checkout(self.versions[version - 1])
        return _asker(table, None)


@dataclass
class VersionColumn:
    """Rows with `since` and `until` as ours, filtered by them, and never any upkeep."""

    place: Path
    spent_ms: list[float] = field(default_factory=list)

    def fill(self, rows: Rows, index: VectorIndex | None) -> None:
        table = _fill(self.place, rows, index)
        for column in ("chunk_id", "since", "until"):
            table.create_index(column, config=BTree())

    def commit(self, born: Rows, ended: Sequence[str], version: int) -> None:
        """`ended` are the chunks that live up to the version."""
        table = _open(self.place)
        living = f"{one_of('chunk_id', ended)} AND since < {version} AND until = {FOREVER}"
        began = time.perf_counter()
        table.add(born)
        table.update(where=living, values={"until": version})
        self.spent_ms.append((time.perf_counter() - began) * 1000)

    def asker(self, version: int) -> Ask:
        return _asker(_open(self.place), f"since <= {version} AND until > {version}")


def with_slots(rows: Rows, slots: Sequence[str]) -> Rows:
    """Rows as a user would keep them who updates in place: keyed by where a passage stands, without life spans."""
    kept = rows.select(["uri", "text", "tokens", "vector"])
    return kept.add_column(0, pa.field("slot", pa.string(), nullable=False), pa.array(slots, pa.string()))


def _fill(place: Path, rows: Rows, index: VectorIndex | None) -> Table:
    table = lancedb.connect(str(place)).create_table("rows", rows)
    whole_words = {"stem": False, "remove_stop_words": False, "lower_case": False, "ascii_folding": False}
    table.create_index("tokens", config=FTS(base_tokenizer="whitespace", with_position=False, **whole_words))
    if "slot" in rows.schema.names:
        table.create_index("slot", config=BTree())
    if index:
        index.make(table)
    return table


def _open(place: Path) -> Table:
    return lancedb.connect(str(place)).open_table("rows")


def _asker(table: Table, where: str | None, probes: int | None = None) -> Ask:
    """Two queries, by vector and by words, the best ten of each with their text."""

    def ask(question: str, vector: np.ndarray) -> None:
        near: Any = table.search(vector).distance_type("l2")
        near = near.nprobes(probes) if probes else near
        matching: Any = table.search(" ".join(sorted(set(analyse(question)))), query_type="fts")
        for query, measure in ((near, "_distance"), (matching, "_score")):
            filtered = query.where(where, prefilter=True) if where else query
            filtered.limit(K).select(["text", measure]).to_arrow()

    return ask
