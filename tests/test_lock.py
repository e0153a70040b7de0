"""One writer at a time: the second is told at once who works, and a lock outlives no process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crash_support import Point, QuickWriter, at, call, command, forkserver, sync, write

import kb
from indexer.creation import create
from indexer.writer import Writer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path / "docs", {"one.md": "# One\n\nalpha beta", "two.md": "# Two\n\ngamma delta"})
    home = create(tmp_path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    return home


def work(writer: type[Writer], home: Path, begun: Any, go_on: Any) -> None:
    """Syncs, but stands still when the first text is to be embedded."""

    def stand_still() -> None:
        begun.set()
        go_on.wait()

    writer(home, at(Point("embed", "", 1), stand_still)).sync()


@contextmanager
def working(home: Path, writer: type[Writer] = QuickWriter) -> Iterator[tuple[Any, Any]]:
    """A process in the middle of a sync, and the event on which it goes on."""
    begun, go_on = forkserver().Event(), forkserver().Event()
    process = forkserver().Process(target=work, args=(writer, home, begun, go_on))
    process.start()
    try:
        assert begun.wait(60)
        yield process, go_on
    finally:
        process.kill()
        process.join()


def test_the_second_is_told_who_works(home: Path) -> None:
    with working(home) as (process, go_on):
        for run in (call, command):
            refused = run("--home", home, "sync", "--json")
            assert (refused.code, refused.out) == (5, b"")
            assert refused.error.count("\n") == 1
            assert f"process {process.pid} " in refused.error
        assert call("--home", home, "plan").code == 0
        assert call("--home", home, "status").code == 0
        go_on.set()
        process.join()
        assert process.exitcode == 0
    with kb.open(home) as base:
        assert [snapshot.version for snapshot in base.log()] == [1]


def test_of_two_at_once_one_works(home: Path) -> None:
    first, second = (forkserver().Process(target=sync, args=(home,)) for _ in range(2))
    for process in (first, second):
        process.start()
    for process in (first, second):
        process.join()
    assert 0 in (first.exitcode, second.exitcode)
    with kb.open(home) as base:
        assert [snapshot.version for snapshot in base.log()] == [1]
        assert base.verify().findings == ()


def test_a_killed_writer_holds_nothing(home: Path) -> None:
    with working(home) as (process, _):
        process.kill()
        process.join()
        sync(home)
    with kb.open(home) as base:
        assert base.status().documents == 2


def test_the_workers_of_a_killed_writer_hold_nothing(home: Path) -> None:
    with working(home, Writer) as (process, _):
        workers = [pid for pid in descendants(process.pid) if not holds(pid, home / "writer.lock")]
        assert workers == descendants(process.pid) != []
        assert holds(process.pid, home / "writer.lock")
        process.kill()
        process.join()
        sync(home)
    with kb.open(home) as base:
        assert base.status().documents == 2


def test_removing_with_purge_needs_the_lock(home: Path) -> None:
    sync(home)
    write(home.parent / "docs", {"three.md": "# Three\n\nepsilon"})
    with working(home):
        assert call("--home", home, "source", "remove", "docs", "--purge").code == 5
        assert call("--home", home, "source", "show", "docs").code == 0


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [found for child in children for found in (child, *descendants(child))]


def holds(pid: int, path: Path) -> bool:
    return str(path) in {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
