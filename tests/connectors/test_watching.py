"""Watching: whatever may have changed wakes, reading does not, and a place that is replaced is watched anew."""

import os
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.folder import FolderConnector, FolderOptions
from connectors.folder.watch import Concern
from connectors.git import GitConnector, GitOptions
from connectors.patterns import select
from connectors.protocol import Watching
from connectors.watching import STORM, Place, Watch
from kb.errors import SourceUnavailable

PATIENCE_S = 20


class Wakes:
    """Counts wakes and waits for them."""

    def __init__(self) -> None:
        self._queue: queue.Queue[None] = queue.Queue()

    def __call__(self) -> None:
        self._queue.put(None)

    def await_one(self) -> None:
        """Waits for a wake after whatever came before."""
        self._queue.get(timeout=PATIENCE_S)
        self.forget()

    def forget(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def watched(root, wakes, tmp_path) -> Iterator[Path]:
    """A folder that is watched by its connector."""
    connector = FolderConnector(FolderOptions(root), workspace=tmp_path)
    assert isinstance(connector, Watching)
    watch = connector.watch(wakes)
    yield root
    watch.close()


def test_every_kind_of_change_wakes(watched, wakes, tmp_path) -> None:
    beside = tmp_path / "beside.md"
    changes = [
        lambda: (watched / "a.md").write_text("1"),
        lambda: (watched / "a.md").write_text("2"),
        lambda: (watched / "a.md").chmod(0o600),
        lambda: (watched / "a.md").rename(watched / "b.md"),
        lambda: (watched / "b.md").rename(beside),
        lambda: beside.rename(watched / "c.md"),
        lambda: (watched / "c.md").unlink(),
        lambda: os.makedirs(watched / "d/e/f"),
        lambda: (watched / "d/e/f/g.md").write_text("3"),
        lambda: shutil.rmtree(watched / "d"),
    ]
    for change in changes:
        wakes.forget()
        change()
        wakes.await_one()


def test_a_folder_that_comes_back_is_watched_again(watched, wakes, tmp_path) -> None:
    watched.rename(tmp_path / "away")
    wakes.await_one()
    (tmp_path / "away").rename(watched)
    wakes.await_one()
    (watched / "a.md").write_text("1")
    wakes.await_one()


def test_a_link_that_is_turned_is_followed(wakes, tmp_path) -> None:
    current = tmp_path / "current"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    current.symlink_to(tmp_path / "one")
    watch = FolderConnector(FolderOptions(current), workspace=tmp_path).watch(wakes)
    try:
        (tmp_path / "one" / "a.md").write_text("1")
        wakes.await_one()
        (tmp_path / "next").symlink_to(tmp_path / "two")
        (tmp_path / "next").rename(current)
        wakes.await_one()
        (tmp_path / "two" / "a.md").write_text("1")
        wakes.await_one()
    finally:
        watch.close()


def test_reading_is_no_change(root, wakes) -> None:
    (root / "a.md").write_text("1")
    told: list[str] = []

    def concerns(path: str, _is_directory: bool) -> bool:
        told.append(path)
        return path == str(root / "last.md")

    watch = Watch([Place(root)], concerns, wakes)
    try:
        (root / "a.md").read_text()
        list(root.iterdir())
        (root / "last.md").write_text("2")
        wakes.await_one()
    finally:
        watch.close()
    assert set(told) == {str(root / "last.md")}


def test_after_very_many_changes_there_is_one_more_wake(root, wakes) -> None:
    seen = threading.Event()

    def concerns(path: str, _is_directory: bool) -> bool:
        if path == str(root / "last.md"):
            seen.set()
            return False
        return True

    watch = Watch([Place(root)], concerns, wakes)
    try:
        for number in range(STORM):
            (root / f"{number}.md").touch()
        (root / "last.md").touch()
        assert seen.wait(PATIENCE_S)
        wakes.forget()
        # Nothing more happens in the folder.
        wakes.await_one()
    finally:
        watch.close()


def test_what_is_not_there_cannot_be_watched(wakes, tmp_path) -> None:
    with pytest.raises(SourceUnavailable, match="is not there"):
        FolderConnector(FolderOptions(tmp_path / "none"), workspace=tmp_path).watch(wakes)


@pytest.mark.parametrize(
    ("path", "is_directory", "matters"),
    [
        ("a.md", False, True),
        ("sub/a.md", False, True),
        ("sub", True, True),
        ("a.log", False, False),
        ("build/a.md", False, False),
        ("build", True, False),
        (".git/HEAD", False, False),
        (".kb/catalog.sqlite", False, False),
        ("home/catalog.sqlite-wal", False, False),
        ("home", True, False),
        ("../beside.md", False, False),
    ],
)
def test_only_what_a_scan_looks_at_matters(root, path, is_directory, matters) -> None:
    (root / "home").mkdir()
    (root / "home" / "catalog.sqlite").touch()
    assert Concern(root, select([], ["*.log", "build/"]))(str(root / path), is_directory) is matters


def test_a_commit_wakes_a_git_source(repository, wakes, tmp_path) -> None:
    repository.commit(a__md=b"1")
    watch = GitConnector(GitOptions(str(repository.path)), workspace=tmp_path).watch(wakes)
    try:
        repository.commit(a__md=b"2")
        wakes.await_one()
        repository.git("pack-refs", "--all")
        wakes.await_one()
    finally:
        watch.close()


def test_a_work_tree_and_a_bundle_are_watched_where_they_lie(repository, wakes, tmp_path) -> None:
    repository.commit(a__md=b"1")
    repository.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "side")
    (tmp_path / "bundles").mkdir()
    bundle = repository.bundle(tmp_path / "bundles" / "a.bundle")
    for url, change in [
        (tmp_path / "tree", lambda: repository.commit(a__md=b"2")),
        (bundle, lambda: repository.bundle(bundle)),
    ]:
        wakes.forget()
        watch = GitConnector(GitOptions(str(url)), workspace=tmp_path).watch(wakes)
        try:
            change()
            wakes.await_one()
        finally:
            watch.close()


def test_a_remote_is_not_watched(wakes, tmp_path) -> None:
    GitConnector(GitOptions("https://host.invalid/x.git"), workspace=tmp_path).watch(wakes).close()
