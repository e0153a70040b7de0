"""Reading while versions expire; and what has expired elsewhere: in a copy, in a catalog from before."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_support import reply, said
from crash_support import QuickWriter, call
from retain_support import GONE, KEPT, RETAIN, told

import kb
from kb.base import KnowledgeBase
from kb.errors import Expired
from kb.home import open_home
from kb.pipeline import Pipeline
from kb.retention import Policy


@pytest.fixture
def home(whole_copy: Path) -> Path:
    return whole_copy


class Overtaken(KnowledgeBase):
    """A reader for which something happens once: after its version is found, before anything of it is read."""

    def __init__(self, home: Path, meanwhile: Callable[[], object]) -> None:
        super().__init__(open_home(home))
        self.meanwhile: Callable[[], object] | None = meanwhile

    @property
    def store(self) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().store


READS: dict[str, Callable[[KnowledgeBase, int], object]] = {
    "hybrid": lambda base, version: base.search("alpha", as_of=version, k=50).hits,
    "exact": lambda base, version: base.search("alpha", as_of=version, k=50, exact=True).hits,
    "dense": lambda base, version: base.search("alpha", as_of=version, mode="dense").hits,
    "bm25": lambda base, version: base.search("alpha", as_of=version, mode="bm25", k=1).hits,
    "text": lambda base, version: base.document("docs:one.md", as_of=version),
    "diff": lambda base, version: base.diff(version, "head", text=True),
    "chunks": lambda base, version: base.diff("head", version, level="chunks"),
    "results": lambda base, version: base.diff(version, "head", level="results", queries=["alpha"]),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_reader_that_is_overtaken(whole: Path, home: Path, tmp_path: Path, read: Any) -> None:
    """What it had found expires before it has read: Expired, never a wrong answer; what is kept answers the same."""
    with kb.open(whole) as base:
        right = {version: read(base, version) for version in (3, 7)}
    for version in (6, 2, 3, 7):
        copy = Path(shutil.copytree(home, tmp_path / f"copy{version}"))
        with Overtaken(copy, lambda copy=copy: QuickWriter(copy).retain(Policy(last=2, tagged=True))) as base:  # type: ignore[misc]
            if version in right:
                assert read(base, version) == right[version]
            else:
                with pytest.raises(Expired, match=f"version {version} has expired"):
                    read(base, version)
            assert base.meanwhile is None


def test_a_verification_that_is_overtaken(home: Path) -> None:
    with Overtaken(home, lambda: QuickWriter(home).retain(Policy(last=1))) as base:
        found = base.verify()
        assert (found.findings, found.expired) == ((), 7)


# Elsewhere, and from before


def test_a_copy_at_another_place_is_as_good(whole: Path, thinned: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(thinned, tmp_path / "else" / "where"))
    verified = reply(copy, "verify")
    assert (verified["findings"], verified["snapshots"], verified["expired"]) == ([], 8, 5)
    assert "8 snapshots (5 expired: their records)" in said(copy, "verify")
    with kb.open(whole) as before, kb.open(copy) as after:
        assert [told(after, version) for version in KEPT] == [told(before, version) for version in KEPT]
        assert Pipeline.of(after.show(3).pipeline) == Pipeline.of(before.show(3).pipeline)


def test_a_catalog_from_before_migrates(home: Path) -> None:
    """One as the first revision made it: `kb init` brings its tables up to date, and all stands as it was."""
    with kb.open(home) as base:
        before = [told(base, version) for version in KEPT], base.log()
    connection = sqlite3.connect(home / "catalog.sqlite")
    connection.executescript(
        "INSERT INTO term SELECT term, version, delta FROM recent_term; DROP TABLE recent_term;"
        "DROP TABLE feedback; DROP TABLE request; DROP TABLE api_key; DROP TABLE standing;"
        "ALTER TABLE source DROP COLUMN fresh_within; ALTER TABLE source DROP COLUMN delete_guard;"
        "ALTER TABLE source DROP COLUMN keep_original;"
        "DROP TABLE facet; DROP TABLE document_access; ALTER TABLE source DROP COLUMN access;"
        "DROP INDEX snapshot_kept; ALTER TABLE snapshot DROP COLUMN expired_at;"
        "UPDATE alembic_version SET version_num = '0001'"
    )
    connection.close()
    refused = call("--home", home, "log")
    assert refused.code == 1
    assert "run `kb init`" in refused.error
    assert json.loads(call("--home", home, "init", "--json").out)["created"] is False
    with kb.open(home) as base:
        assert ([told(base, version) for version in KEPT], base.log()) == before
        assert base.verify().findings == ()
    assert len(reply(home, *RETAIN)["expired"]) == len(GONE)
    assert reply(home, "verify")["findings"] == []
