"""A full disk: what is published is served, also to those who come then; what would write is refused in one line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_support import call, command
from refusals_support import check, three_documents, write

from scripts.stresses.parts.volume import CannotMount, Volume, mounted


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    try:
        with mounted(tmp_path / "volume", size_mb=16) as volume:
            yield volume
    except CannotMount as error:
        pytest.skip(f"nothing can be mounted: {error}")


def test_the_head_is_served_and_a_sync_refused_until_there_is_room(volume: Volume) -> None:
    home = three_documents(volume.path)
    write(volume.path / "docs", {"one.md": "# One\n\nalpha and more"})
    # Whoever had the catalog open has left: SQLite keeps its shared memory only as long as somebody has.
    asked = ("search", "alpha", "--json")
    before = command("--home", home, *asked)
    volume.fill(leave=0)
    for arguments in (("log",), ("verify",), asked):
        found = command("--home", home, *arguments)
        assert (found.code, found.error) == (0, ""), found
    assert before.out.split(b'"hits"')[1] == found.out.split(b'"hits"')[1]
    for arguments in (("sync",), ("tag", "now"), ("retain", "--keep-last", "1")):
        check(command("--home", home, *arguments), 1, str(home), "no room is left on the disk", "make room")
    volume.drain()
    assert call("--home", home, "sync").code == 0
    assert b"everything holds" in call("--home", home, "verify").out


def test_a_home_cannot_be_made_on_a_full_disk(volume: Volume) -> None:
    volume.fill(leave=0)
    home = volume.path / "home"
    check(command("--home", home, "init", "--model", "hashing:32"), 1, str(home), "make room")
    volume.drain()
    assert call("--home", home, "init", "--model", "hashing:32").code == 0
