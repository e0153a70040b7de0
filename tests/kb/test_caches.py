"""LanceDB's caches are begun anew when they hold mostly what nobody needs any more, and nobody notices."""

import asyncio
from pathlib import Path

import pyarrow as pa
import pytest

from kb.store import caches, lance
from kb.store.caches import Caches
from kb.store.lance import Lance

SCHEMA = pa.schema([pa.field("x", pa.int64())])


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Caches:
    """Caches that are begun anew at twice their size."""
    made = Caches()
    monkeypatch.setattr(caches, "_SPARE_BYTES", 0)
    monkeypatch.setattr(lance, "CACHES", made)
    return made


def test_what_grows_is_begun_anew_and_serves_on(own: Caches, tmp_path: Path) -> None:
    opened = Lance(tmp_path)
    opened.find_or_make("rows", SCHEMA).add([{"x": 0}])
    first, table = own.session, opened.table("rows")
    own.tend()
    own.tend()
    assert own.session is first
    while own.session is first:
        table.add([{"x": 1}])
        table.search().to_list()
        own.tend()
        assert table.count_rows() < 1_000
    assert own.session.size_bytes < first.size_bytes
    assert opened.table("rows") is not table
    table.add([{"x": 2}])
    assert opened.table("rows").count_rows() == table.count_rows()
    assert asyncio.run(_count(opened)) == table.count_rows()


async def _count(opened: Lance) -> int:
    return await (await opened.read("rows")).count_rows()
