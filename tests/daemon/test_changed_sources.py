"""Sources that others add, change and remove while the daemon follows them."""

from contextlib import closing
from pathlib import Path

import pytest
from daemon_support import Followed, following

from indexer.writer import Writer
from kb.errors import NotFound
from kb.home import Home


def published(followed: Followed, source: str) -> int:
    """The version that the source publishes next."""
    return int(followed.told.await_line("published", source=source)["version"])


def test_sources_that_others_add_change_and_remove_are_taken_up(home: Home, stage, tmp_path: Path) -> None:
    with following(home) as followed:
        docs = stage("docs", a="alpha")
        assert published(followed, "docs") == 1
        other = Writer(home)
        other.change_source("docs", {"owner": "ada"})
        followed.told.await_line("source changed", source="docs")
        while docs.closed == 0:
            docs.await_poll()
        docs.texts["a.md"] = "alpha again"
        followed.sync("docs")
        assert len(docs.wakes) == 2
        docs.texts["a.md"] = "and again"
        docs.wake()
        followed.told.await_line("published", source="docs", version=3)
        other.remove_source("docs")
        followed.told.await_line("source removed", source="docs")
        with pytest.raises(NotFound):
            followed.sync("docs")
        assert docs.closed == 2
        other.catalog.close()


def test_a_source_that_is_removed_while_it_is_read_publishes_nothing(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    docs.open.clear()
    with following(home) as followed:
        docs.await_poll()
        assert followed.daemon.remove("docs", purge=True) is None
        docs.open.set()
        followed.told.await_line("abandoned", source="docs")
        assert followed.head() is None
        assert docs.closed == len(docs.wakes) == 1


def test_one_that_hangs_can_be_removed_with_its_documents(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    with following(home) as followed:
        published(followed, "docs")
        docs.forget_polls()
        docs.open.clear()
        docs.texts["b.md"] = "beta"
        docs.wake()
        docs.await_poll()
        snapshot = followed.daemon.remove("docs", purge=True)
        assert snapshot is not None
        assert (snapshot.version, snapshot.documents.total) == (2, 0)
        again = stage("docs", c="gamma")
        docs.open.set()
        published(followed, "docs")
        assert followed.documents("docs") == ["c.md"]
        assert followed.standing("docs").failures == 0
        assert again.wakes


def test_changing_a_source_that_hangs_watches_it_as_it_is_then(home: Home, stage, tmp_path: Path) -> None:
    docs = stage("docs", a="alpha")
    docs.open.clear()
    with following(home) as followed:
        docs.await_poll()
        with closing(Writer(home).catalog):
            Writer(home).change_source("docs", {"owner": "ada"})
        followed.told.await_line("source changed", source="docs")
        docs.open.set()
        docs.await_poll()
        followed.sync("docs")
        assert (len(docs.wakes), docs.closed) == (2, 1)
