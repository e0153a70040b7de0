"""What a retention removes: all that no kept version needs, as its dry run foretold, and nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest
from cli_shapes import RETENTION, check_shape
from cli_support import reply, said
from crash_support import Point, QuickWriter, at, call, frozen, rows, sync, write
from retain_support import GONE, KEPT, RETAIN, opened, told, words

import kb
from indexer.creation import create
from indexer.lock import writer_lock
from kb.retention import Policy


@pytest.fixture
def home(whole_copy: Path) -> Path:
    return whole_copy


def test_a_dry_run_foretells_and_writes_nothing(home: Path) -> None:
    before = frozen(home)
    foreseen = reply(home, *RETAIN, "--dry-run")
    assert "would remove" in said(home, *RETAIN, "--dry-run")
    assert frozen(home) == before
    with writer_lock(home / "writer.lock"):
        assert reply(home, *RETAIN, "--dry-run") == foreseen
    done = reply(home, *RETAIN)
    check_shape(done, RETENTION)
    assert (foreseen["dry_run"], done["dry_run"]) == (True, False)
    assert {**foreseen, "dry_run": False} == done
    assert [(kept["version"], kept["rules"], kept["tags"]) for kept in done["kept"]] == [
        (3, ["tagged"], ["audit"]),
        (7, ["last"], []),
        (8, ["head", "last"], []),
    ]
    assert [snapshot["version"] for snapshot in done["expired"]] == list(GONE)
    again = reply(home, *RETAIN)
    assert (again["expired"], again["removed"]["bytes"], again["kept"]) == ([], 0, done["kept"])
    assert "nothing to expire" in said(home, *RETAIN)


def held(home: Path) -> tuple[int, int, int, int]:
    """Chunks, document versions, texts, and the bytes of what they hold, counted past the program."""
    tables = opened(home)
    texts = tables.pop("texts").search().limit(None).to_list()
    chunks = [row for table in tables.values() for row in table.search().limit(None).to_list()]
    size = sum(len((row["text"] + row["tokens"]).encode()) + 4 * len(row["vector"]) for row in chunks)
    size += sum(len(row["text"].encode()) for row in texts)
    return len(chunks), rows(home, "SELECT count(*) FROM document")[0][0], len(texts), size


def test_what_no_kept_version_needs_is_gone(home: Path) -> None:
    before = held(home)
    removed = reply(home, *RETAIN)["removed"]
    after = held(home)
    assert tuple(removed.values()) == tuple(old - new for old, new in zip(before, after, strict=True))
    assert min(removed.values()) > 0
    (chunks,) = (table for name, table in opened(home).items() if name != "texts")
    lives = [(row["since"], row["until"]) for row in chunks.search().limit(None).to_list()]
    assert all(any(since <= version < until for version in KEPT) for since, until in lives)
    assert {since for since, _ in lives} > {1}, "what lives since an expired version has kept its birth"
    assert {
        version for (version,) in rows(home, "SELECT version FROM term UNION SELECT version FROM recent_term")
    } <= set(KEPT)


@pytest.mark.filterwarnings("ignore:optimize")
def test_the_space_comes_back(tmp_path: Path) -> None:
    """Once no read can need the old files, rows and texts take what they take in a new home of the same."""
    home = create(tmp_path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    for version in range(12):
        bodies = {f"{name}.md": f"# {name}\n\n" + f"{name} {version} alpha. " * 2_000 for name in "abcdef"}
        write(tmp_path / "docs", bodies)
        sync(home)
    before = cleaned(home)
    reply(home, "retain", "--keep-last", "1")
    fresh = create(tmp_path / "fresh", "hashing:32")[0].path
    QuickWriter(fresh).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    sync(fresh)
    assert cleaned(home) < 1.1 * cleaned(fresh) < before / 8


def cleaned(home: Path) -> int:
    """Bytes of the tables' rows as they are when the grace for running reads is over; the indexes are left out."""
    for table in opened(home).values():
        table.optimize(cleanup_older_than=timedelta(0))
    return sum(path.stat().st_size for path in (home / "store").glob("*.lance/data/*"))


def test_a_new_retention_may_follow(home: Path) -> None:
    with kb.open(home) as base:
        before = told(base, 7)
        for policy in (Policy(last=6), Policy(last=4, tagged=True), Policy(last=1, tagged=True), Policy(last=1)):
            kept = {one.version for one in base.retain(policy).kept}
            assert kept == {snapshot.version for snapshot in base.log()}
            assert 7 not in kept or told(base, 7) == before
            assert base.verify().findings == ()
        assert kept == {8}
        write(home.parent / "docs", {"one.md": words(1)})
        QuickWriter(home).change_source("docs", {"path": str(home.parent / "docs")})
        sync(home)
        assert [snapshot.version for snapshot in base.log()] == [9, 8]
        assert base.verify().findings == ()


def test_nothing_published_yet_is_nothing_to_expire(tmp_path: Path) -> None:
    home = create(tmp_path / "home", "hashing:8")[0].path
    for dry_run in ((), ("--dry-run",)):
        assert reply(home, *RETAIN, *dry_run)["expired"] == []


def test_it_needs_the_lock(home: Path) -> None:
    before = frozen(home)
    with writer_lock(home / "writer.lock"):
        refused = call("--home", home, *RETAIN)
    assert (refused.code, refused.out) == (5, b"")
    assert frozen(home) == before


def test_an_unfinished_commit_is_taken_back_first(home: Path) -> None:
    class Fault(Exception):
        pass

    def fail() -> None:
        raise Fault

    writer = QuickWriter(home, at(Point("publish", "begin", 1), fail))
    writer.change_source("docs", {"path": str(home.parent / "docs")})
    write(home.parent / "docs", {"one.md": words(99)})
    with pytest.raises(Fault):
        writer.sync(["docs"])
    assert rows(home, "SELECT version FROM intent") == [(9,)]
    reply(home, *RETAIN)
    assert rows(home, "SELECT version FROM intent") == []
    with kb.open(home) as base:
        assert base.verify().findings == ()
        assert [snapshot.version for snapshot in base.log()] == [8, 7, 3]
