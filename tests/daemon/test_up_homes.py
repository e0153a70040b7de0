"""`kb up` on homes of every kind: notes left behind, long paths, inside the folder that is followed."""

import subprocess
from pathlib import Path

import pytest
from crash_support import KB, QuickWriter, rows, write

import kb
from indexer.creation import create
from kb.daemon import find
from kb.home import open_home
from scripts.stresses.parts.up import environment, up


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path / "docs", {"a.md": "# A\n\nalpha"})
    home = create(tmp_path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    return home


def synced(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [KB, "--home", home, "sync", *arguments], env=environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "path": "/nowhere/x.sock", "url": ""}'])
def test_a_note_that_is_left_behind_is_harmless(home: Path, note: str) -> None:
    (home / "daemon.json").write_text(note)
    assert find(open_home(home)) is None
    assert synced(home).returncode == 0


def test_a_long_home_and_none_of_its_socket_left(tmp_path: Path) -> None:
    home = create(tmp_path / ("d" * 100) / ("e" * 100), "hashing:8")[0].path
    (tmp_path / "tmp").mkdir()
    with up(home, TMPDIR=str(tmp_path / "tmp")) as daemon:
        daemon.await_ready()
        found = find(open_home(home))
        assert found is not None
        assert len(found.path) < 100 + len(str(tmp_path))
        write(tmp_path / "docs", {"a.md": "alpha"})
        QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
        assert "handed" in synced(home).stderr
        assert daemon.stop()[0] == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_home_inside_the_folder_that_it_follows(tmp_path: Path) -> None:
    write(tmp_path / "all", {"a.md": "alpha"})
    home = create(tmp_path / "all" / "kb", "hashing:8")[0].path
    QuickWriter(home).add_source("all", "folder", {"path": str(tmp_path / "all")})
    with up(home) as daemon:
        daemon.told.await_line("published", source="all")
        write(tmp_path / "all", {"b.md": "beta"})
        daemon.told.await_line("published", source="all")
        runs = rows(home, "SELECT count(*) FROM run")[0][0]
        assert synced(home).returncode == 0
        assert synced(home).returncode == 0
        # What it writes itself wakes nobody: there are those that were asked for, and hardly another.
        assert rows(home, "SELECT count(*) FROM run")[0][0] <= runs + 3
    with kb.open(home) as base:
        assert sorted(one.uri for one in base.documents()) == ["a.md", "b.md"]
