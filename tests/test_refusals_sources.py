"""A source that cannot be read, or has lost most of its documents, is refused; the others are published."""

import shutil
from pathlib import Path

import pytest
from crash_support import QuickWriter, call, write
from refusals_support import refused_sync, three_documents

import kb


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return three_documents(tmp_path)


def test_vanished_folder(home: Path) -> None:
    shutil.rmtree(home.parent / "docs")
    refused_sync(home, str(home.parent / "docs"), "restore or mount it")


def test_emptied_folder(home: Path) -> None:
    """What an unmounted disk looks like."""
    for path in (home.parent / "docs").iterdir():
        path.unlink()
    refused_sync(home, "'docs'", "lost 3 of its 3 documents", "--allow-deletes")


def test_more_than_half_lost(home: Path) -> None:
    (home.parent / "docs" / "one.md").unlink()
    (home.parent / "docs" / "two.md").unlink()
    refused_sync(home, "'docs'", "lost 2 of its 3 documents", "--allow-deletes")
    assert call("--home", home, "sync", "--allow-deletes").code == 0
    with kb.open(home) as base:
        assert [document.uri for document in base.documents()] == ["three.md"]


def test_less_than_half_lost(home: Path) -> None:
    (home.parent / "docs" / "one.md").unlink()
    assert call("--home", home, "sync").code == 0
    with kb.open(home) as base:
        assert base.log(1)[0].documents.removed == 1


@pytest.mark.parametrize("url", ["/nowhere/at/all", "https://127.0.0.1:9/none.git", "file:///nowhere.git"])
def test_git_that_cannot_be_read(home: Path, url: str) -> None:
    writer = QuickWriter(home)
    writer.remove_source("docs")
    writer.add_source("code", "git", {"url": url})
    refused_sync(home, url)


def test_one_source_fails_and_the_other_is_published(home: Path) -> None:
    writer = QuickWriter(home)
    writer.add_source("absent", "folder", {"path": str(home.parent / "absent")})
    write(home.parent / "docs", {"four.md": "# Four\n\nalpha"})
    called = call("--home", home, "sync", "--message", "again")
    assert called.code == 6
    assert str(home.parent / "absent") in called.error
    assert called.error.count("\n") == 1
    with kb.open(home) as base:
        assert [snapshot.message for snapshot in base.log()] == ["again", None]
        assert base.status().documents == 4
        failing = {one.source.name: one.last_error for one in base.status().sources}
    assert failing["docs"] is None
    assert "absent" in str(failing["absent"])
