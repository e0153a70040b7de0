"""What may not be read is named, and its last good version stays."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_support import forkserver, sync, write
from refusals_support import folder_home, refused_sync

import kb

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter, unlike pytest's own, with a folder and a home that is NOBODY's."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    home = folder_home(path, {"one.md": "# One\n\nalpha", "inner/two.md": "# Two\n\nbeta"})
    if not os.geteuid():
        for each in (home, *home.rglob("*")):
            os.chown(each, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def as_nobody(step: Callable[..., None], *arguments: object) -> None:
    """Takes the step in a process to which permissions apply, as they do not to the superuser."""
    process = forkserver().Process(target=without_power, args=(step, *arguments))
    process.start()
    process.join()
    assert process.exitcode == 0


def without_power(step: Callable[..., None], *arguments: object) -> None:
    if not os.geteuid():
        os.setuid(NOBODY)
    step(*arguments)


@pytest.mark.parametrize("closed", ["docs", "docs/inner"])
def test_folder_without_permission(place: Path, closed: str) -> None:
    (place / closed).chmod(0)
    as_nobody(refused_sync, place / "home", str(place / closed), "grant read permission")
    (place / closed).chmod(0o755)
    sync(place / "home")
    with kb.open(place / "home") as base:
        assert len(base.log()) == 1
        assert base.status().sources[0].last_error is None


def test_document_without_permission(place: Path) -> None:
    """The unreadable document is named, and its last good version stays."""
    write(place / "docs", {"one.md": "# One\n\nalpha and more"})
    (place / "docs" / "one.md").chmod(0)
    as_nobody(sync, place / "home")
    with kb.open(place / "home") as base:
        assert [(found.uri, found.reason) for found in base.quarantine()] == [("one.md", "unreadable")]
        assert base.document("docs:one.md").text == "# One\n\nalpha"
    (place / "docs" / "one.md").chmod(0o644)
    sync(place / "home")
    with kb.open(place / "home") as base:
        assert list(base.quarantine()) == []
        assert base.document("docs:one.md").text == "# One\n\nalpha and more"
