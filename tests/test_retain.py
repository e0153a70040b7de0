"""What a retention does: which versions answer afterwards, how the others refuse, and what is left on the disk."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb
import pytest
from cli_shapes import RETENTION, SHOWN, check_shape
from cli_support import reply, said
from crash_support import Point, QuickWriter, at, call, commit, frozen, git, rows, sync, write

import kb
from indexer.creation import create
from indexer.lock import writer_lock
from kb.base import KnowledgeBase
from kb.errors import Expired
from kb.home import open_home
from kb.pipeline import Pipeline
from kb.retention import Policy

VERSIONS = 8
KEPT, GONE = (3, 7, 8), (1, 2, 4, 5, 6)
RETAIN = ("retain", "--keep-last", "2", "--keep-tagged")


def words(version: int) -> str:
    return f"# One\n\nalpha is {version}, once.\n\n## Rest\n\n" + "beta stays for long. " * 30 + f"gamma {version // 4}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 to 4 of a folder, 5 to 7 of a repository's three commits, 8 of the folder; version 3 has a tag."""
    path = tmp_path_factory.mktemp("whole")
    home = create(path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    writer.add_source("docs", "folder", {"path": str(path / "docs")})
    for version in range(1, 5):
        write(path / "docs", {"one.md": words(version), "two.md": f"# Two\n\ndelta {version // 3}"})
        if version == 2:
            write(path / "docs", {"brief.md": "# Brief\n\nseen once"})
        elif version == 3:
            (path / "docs" / "brief.md").unlink()
        sync(home)
    for day in (2, 5, 8):
        commit(path / "code", {"three.md": f"# Three\n\nday {day}"}, day=day)
    writer.add_source("code", "git", {"url": str(path / "code"), "history": "all"})
    sync(home)
    write(path / "docs", {"one.md": words(3)})
    sync(home)
    with kb.open(home) as base:
        base.tag("audit", 3)
        base.tag("early", 2)
        base.delete_tag("early")
        assert base.log(1)[0].version == VERSIONS
    return home


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole.parent, tmp_path / "place")
    return tmp_path / "place" / "home"


@pytest.fixture(scope="module")
def thinned(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with versions 3, 7 and 8 alone."""
    home = Path(shutil.copytree(whole, tmp_path_factory.mktemp("thinned") / "home"))
    assert call("--home", home, *RETAIN).code == 0
    return home


def told(base: KnowledgeBase, version: int | str) -> object:
    hits = [base.search(query, as_of=version, k=50, exact=exact).hits for query in ("alpha", "day") for exact in (0, 1)]
    return base.documents(as_of=version), hits, [base.document(f"docs:{name}.md", as_of=version) for name in NAMES]


NAMES = ("one", "two")


def test_what_is_kept_answers_the_same(whole: Path, thinned: Path) -> None:
    with kb.open(whole) as before, kb.open(thinned) as after:
        for version in KEPT:
            assert told(after, version) == told(before, version)
            assert after.show(version).snapshot == before.show(version).snapshot
            assert after.verify(version).findings == ()
        pairs = [(old, new) for old in KEPT for new in KEPT]
        for old, new in pairs:
            assert after.diff(old, new, text=True) == before.diff(old, new, text=True)
            assert after.diff(old, new, level="chunks") == before.diff(old, new, level="chunks")
            queries = {"level": "results", "queries": ["alpha", "day"]}
            assert after.diff(old, new, **queries) == before.diff(old, new, **queries)  # type: ignore[arg-type]
        assert [snapshot for snapshot in before.log() if snapshot.version in KEPT] == after.log()
        assert after.tags() == before.tags()


COMMANDS = ("search alpha --as-of", "cat docs:one.md --as-of", "show", "diff head", "tag new", "verify")


@pytest.mark.parametrize("version", GONE)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_expired_is_refused(thinned: Path, command: str, version: int) -> None:
    nearest = {1: 3, 2: 3, 4: 3, 5: 3, 6: 7}[version]
    refused = call("--home", thinned, *command.split(), str(version), "--json")
    assert (refused.code, refused.out) == (4, b"")
    assert refused.error == f"kb: version {version} has expired; the oldest kept is 3, the nearest is {nearest}\n"


def test_every_way_to_name_it_is_refused(home: Path) -> None:
    """A tag that the policy passed over stays, and tells that its version has expired."""
    with kb.open(home) as base:
        base.tag("passed-over", 4)
        published = {snapshot.version: snapshot.committed_at.isoformat() for snapshot in base.log()}
    first, second, _ = git(home.parent / "code", "rev-list", "--reverse", "HEAD").split()
    reply(home, "retain", "--keep-last", "2")
    names = {
        "passed-over": 4,
        f"code@{first[:8]}": 5,
        f"code@{second}": 6,
        "code@2024-01-03": 5,
        "head~2": 6,
        published[2]: 2,
    }
    for name, version in names.items():
        refused = call("--home", home, "show", name)
        assert (refused.code, refused.out) == (4, b"")
        nearest = f"version {version} ({name}) has expired; the oldest kept is 7, the nearest is 7"
        assert refused.error == f"kb: {nearest}\n"
    assert reply(home, "tag", "--list") == {"audit": 3, "passed-over": 4}
    assert reply(home, "show", "head~1")["snapshot"]["version"] == 7
    assert reply(home, "show", "code@2024-01-08")["snapshot"]["version"] == 7


def test_log_and_history_leave_out_what_expired(thinned: Path) -> None:
    assert [snapshot["version"] for snapshot in reply(thinned, "log")] == [8, 7, 3]
    assert [snapshot["version"] for snapshot in reply(thinned, "log", "--source", "code")] == [7]
    lives = [(version["since"], version["until"]) for version in reply(thinned, "history", "docs:one.md")]
    assert lives == [(3, 4), (4, 8), (8, 2**31 - 1)]
    assert call("--home", thinned, "history", "docs:brief.md").code == 3


def test_show_tells_what_changed_since_the_nearest_kept(thinned: Path) -> None:
    for version, before in ((8, 7), (7, 3), (3, None)):
        shown = reply(thinned, "show", str(version))
        check_shape(shown, SHOWN)
        assert shown["compared_with"] == before
    changed = {(change["uri"], change["change"]) for change in reply(thinned, "show", "7")["documents"]}
    assert changed == {("one.md", "changed"), ("three.md", "added")}
    assert "since version 3, the nearest kept before it" in said(thinned, "show", "7")
    assert reply(thinned, "show", "3")["documents"] == []
    assert "not known any more" in said(thinned, "show", "3")
    assert "since version" not in said(thinned, "show", "8")


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


def opened(home: Path) -> dict[str, Any]:
    store = lancedb.connect(str(home / "store"))
    return {name: store.open_table(name) for name in store.list_tables().tables}


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
    assert {version for (version,) in rows(home, "SELECT version FROM term")} <= set(KEPT)


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


# Reading while versions expire


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
