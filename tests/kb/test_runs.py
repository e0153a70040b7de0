"""The record of runs: it does not grow with looks that find nothing, and keeps all that it is asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crash_support import rows

from indexer.creation import create
from kb.catalog import Catalog, runs
from kb.catalog.runs import Run

BEGAN = datetime(2024, 5, 1, tzinfo=UTC)


def run(number: int, *, succeeded: bool = True, published: int = 0, source: str = "docs") -> Run:
    moment = BEGAN + timedelta(minutes=number)
    return Run(source, moment, moment, succeeded, None if succeeded else "cut", published, {}, published, 1.0)


def test_looks_that_find_nothing_are_thinned(tmp_path: Path) -> None:
    home = create(tmp_path / "home", "hashing:8")[0]
    catalog = Catalog(home.catalog_url)
    with catalog.writing() as connection:
        runs.add(connection, run(0, source="other"))
        for number in range(3_000):
            runs.add(connection, run(number, succeeded=number < 1_500, published=number == 7))
        newest = runs.last(connection, "docs")
        assert newest is not None
        assert newest.started_at == BEGAN + timedelta(minutes=2_999)
        assert runs.last_success(connection, "docs") == BEGAN + timedelta(minutes=1_499)
        assert runs.embedding_rate(connection) == 1.0
    catalog.close()
    assert rows(home.path, "SELECT count(*) FROM run WHERE source = 'docs'")[0][0] <= 1_052
    assert rows(home.path, "SELECT count(*) FROM run WHERE published = 1") == [(1,)]
    assert rows(home.path, "SELECT count(*) FROM run WHERE source = 'other'") == [(1,)]
