"""A full disk: what is published is served, also to those who come then; what would write is refused in one line."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_support import call
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
    # SQLite's readers share memory in a file that is there only as long as somebody has the catalog open.
    gc.collect()
    assert not (home / "catalog.sqlite-shm").exists()
    volume.fill(leave=0)
    found = call("--home", home, "search", "alpha", "--json")
    assert (found.code, found.error) == (0, ""), found
    texts = {hit["text"] for hit in json.loads(found.out)["hits"]}
    assert texts == {f"# {name}\n\nalpha {name}" for name in ("one", "two", "three")}
    assert b"everything holds" in call("--home", home, "verify").out
    for arguments in (("sync",), ("tag", "now"), ("retain", "--keep-last", "1")):
        check(call("--home", home, *arguments), 1, str(home), "no room is left on the disk", "make room")
    volume.drain()
    assert call("--home", home, "sync").code == 0
    assert b"everything holds" in call("--home", home, "verify").out


def test_a_home_cannot_be_made_on_a_full_disk(volume: Volume) -> None:
    volume.fill(leave=0)
    home = volume.path / "home"
    check(call("--home", home, "init", "--model", "hashing:32"), 1, str(home), "make room")
    volume.drain()
    assert call("--home", home, "init", "--model", "hashing:32").code == 0
