"""Rows of chunks begin to live and end, wherever they were moved to since the writer read them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb.errors import Corrupt
from kb.nouns import FOREVER
from kb.store import Store
from kb.store.chunks import ChunkTable
from kb.store.rows import ROW_ID, ChunkRow, living
from kb.store.upkeep import NONE

MOVES: dict[str, Callable[[Store], None]] = {
    "nothing": lambda _store: None,
    "upkeep": lambda store: store.upkeep(NONE),
    "access": lambda store: store.permit(["a", "c"], ("staff",)),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three chunks; fragments enough that upkeep joins them."""
    made = Store(tmp_path)
    for name in "abc":
        publish(made, 1, name)
    return made


def table(store: Store) -> ChunkTable:
    return store.prepare("space", 2)


def publish(store: Store, version: int, *chunks: str) -> None:
    rows = [
        ChunkRow(name, name, "docs", "a.md", name, name, name, (), ("*",), np.array((1, 0), np.float32))
        for name in chunks
    ]
    table(store).write(living(rows, version, 2))


def lives(store: Store) -> list[tuple[str, int, int]]:
    found = [row for batch in table(store).scan("true", ["chunk_id", "since", "until"]) for row in batch.to_pylist()]
    return sorted((row["chunk_id"], row["since"], row["until"]) for row in found)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_rows_end_though_they_were_moved(store: Store, move: Callable[[Store], None]) -> None:
    """And the row that the same chunk goes on by lives on."""
    dying = table(store).some(["a", "c"], f"until = {FOREVER}", ["chunk_id", ROW_ID])
    move(store)
    publish(store, 2, "c")
    table(store).end(dying, 2)
    assert lives(store) == [("a", 1, 2), ("b", 1, FOREVER), ("c", 1, 2), ("c", 2, FOREVER)]


def test_a_row_that_is_gone_is_missed(store: Store) -> None:
    dying = table(store).some(["a", "c"], f"until = {FOREVER}", ["chunk_id", ROW_ID])
    table(store).forget("chunk_id = 'a'")
    with pytest.raises(Corrupt, match="1 chunk rows that live at the head are missing: run `kb verify`"):
        table(store).end(dying, 2)


def test_none_end(store: Store) -> None:
    table(store).end(table(store).some([], "true", ["chunk_id", ROW_ID]), 2)
    assert lives(store) == [(name, 1, FOREVER) for name in "abc"]
