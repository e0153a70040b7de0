"""A home that may only be read answers as any other; what would write is refused in one line."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_support import call

import indexer.daemon.up  # Before the right to read it is given up.
import kb
from indexer.creation import create
from indexer.writer import Writer
from kb.errors import Unwritable

assert callable(indexer.daemon.up.up)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everywhere; nobody may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("Customers have 14 days.\n")
    create(tmp_path / ".kb", "hashing:64")
    writer = Writer(tmp_path / ".kb")
    writer.add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    writer.sync()
    writer.catalog.close()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    for path in (tmp_path / ".kb", *(tmp_path / ".kb").rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return tmp_path / ".kb"


def test_reading_needs_no_permission_to_write(home: Path) -> None:
    before = sorted(home.rglob("*"))
    with unprivileged():
        assert not os.access(home, os.W_OK, effective_ids=True)
        with kb.open(home) as base:
            assert [hit.text for hit in base.search("days")] == ["Customers have 14 days."]
            assert base.log()[0].version == 1
            assert base.verify().findings == ()
    assert sorted(home.rglob("*")) == before


def test_a_sync_is_refused(home: Path) -> None:
    with (
        unprivileged(),
        pytest.raises(Unwritable, match=f"^{re.escape(str(home))} cannot be written: permission denied; make"),
    ):
        Writer(home).sync()


def test_a_daemon_is_refused(home: Path) -> None:
    with unprivileged():
        refused = call("--home", home, "up", "--port", "0")
    assert refused.code == 1
    assert re.fullmatch(rf"kb: {re.escape(str(home))} cannot be written: permission denied; make .*\n", refused.error)
