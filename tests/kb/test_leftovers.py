"""After upkeep no file stays that a killed writer left, and none goes that a version needs."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import lancedb
import pyarrow as pa
import pytest

from kb.store import Store
from kb.store.upkeep import NONE, grace

LEFT = (
    "_deletions/0-{version}-8888888888.arrow",
    "_deletions/0-1-77.bin",
    "_transactions/{version}-{uuid}.txn",
    "_versions/18446744073709551000.manifest#1",
    "_indices/{uuid}/page_data.lance",
    "_indices/{uuid}/.tmpAb3dE9",
    "data/.tmp7qPgZv",
    "data/1001101100110000010111111611b324fd288127c0d3ec8c38b.lance",
)
GRACES = (timedelta(milliseconds=1), timedelta(minutes=10))


@pytest.fixture
def table(tmp_path: Path) -> "lancedb.table.Table":
    """A table of many rows, of which a few were deleted: too few for a compaction to write the rest anew."""
    made = lancedb.connect(str(tmp_path)).create_table("rows", pa.table({"x": list(range(1_000))}))
    for gone in (3, 500, 999):
        made.delete(f"x = {gone}")
    return made


def files(path: Path) -> set[str]:
    return {found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file()}


@pytest.mark.parametrize("kept", GRACES)
def test_what_a_killed_writer_left_goes(tmp_path: Path, table: "lancedb.table.Table", kept: timedelta) -> None:
    Store(tmp_path).upkeep(NONE, kept)
    before = files(tmp_path)
    assert any("_deletions" in path for path in before)
    for name in LEFT:
        path = tmp_path / "rows.lance" / name.format(version=table.version, uuid=uuid4())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    assert len(files(tmp_path)) == len(before) + len(LEFT)
    Store(tmp_path).upkeep(NONE, kept)
    assert files(tmp_path) == before


@pytest.mark.parametrize("kept", GRACES)
def test_what_versions_need_stays(tmp_path: Path, table: "lancedb.table.Table", kept: timedelta) -> None:
    versions = [version["version"] for version in table.list_versions()] if kept > GRACES[0] else []
    Store(tmp_path).upkeep(NONE, kept)
    table.checkout_latest()
    assert sorted(table.to_arrow()["x"].to_pylist()) == sorted(set(range(1_000)) - {3, 500, 999})
    for version in versions:
        table.checkout(version)
        assert table.to_arrow().num_rows == 1_000 - (version - 1)


def test_files_go_sooner_where_room_is_short() -> None:
    """No sooner than the longest search may take."""
    assert grace(stored=10, free=51) == timedelta(minutes=10) > grace(stored=10, free=50) == timedelta(minutes=1)
    assert grace(stored=0, free=0) == timedelta(minutes=1)
