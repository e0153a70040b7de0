"""A retention that is stopped anywhere: what is kept answers the same, the rest is refused, the next run ends it."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lancedb
import pytest
from crash_support import Point, QuickWriter, at, forkserver, kill_oneself, points, rows, sync, write

import kb
from indexer.creation import create
from indexer.progress import Event
from kb.base import KnowledgeBase
from kb.errors import Expired
from kb.home import CONFIG, write_config
from kb.retention import Policy

POLICY = Policy(last=2, tagged=True)
KEPT, GONE = (4, 8, 9), (1, 2, 3, 5, 6, 7)
MODES: Any = ("hybrid", "dense", "bm25")


class Fault(Exception):
    """What a disk or a library may raise at any moment."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A home before its retention, what its versions answer, and what an undisturbed retention leaves in it."""

    home: Path
    told: dict[int, object]
    points: list[Point]
    remains: dict[str, Any]


def text(name: str, paragraphs: int, change: int) -> str:
    words = (f"alpha {name} beta {n} second gamma {change if n == 1 else 0}. " * 6 for n in range(paragraphs))
    return f"# {name}\n\n" + "\n\n".join(f"## {name} {n}\n\n{body}" for n, body in enumerate(words)) + "\n"


def build(path: Path) -> Path:
    """Nine versions in two embedding spaces: edits, a removal, a revert; one of them tagged."""
    docs = path / "docs"
    home = create(path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(docs)})
    for change in range(1, 5):
        write(docs, {f"{name}.md": text(name, 6, change) for name in ("one", "two")})
        write(docs, {"three.md": text("three", 2 + change % 2, 0)})
        sync(home)
    (docs / "two.md").unlink()
    sync(home)
    write_config(home / CONFIG, "hashing:24")
    sync(home)
    for change in (1, 7, 1):
        write(docs, {"one.md": text("one", 6, change), "two.md": text("two", 3, change)})
        sync(home)
    with kb.open(home) as base:
        base.tag("audit", 4)
    return home


def told(base: KnowledgeBase, version: int) -> object:
    """All that a version answers, provenance and scores included."""
    documents = base.documents(as_of=version)
    hits = [base.search("alpha second two", as_of=version, k=100, mode=mode, exact=True).hits for mode in MODES]
    quick = base.search("alpha second two", as_of=version, k=100).hits
    texts = [base.document(f"docs:{value.uri}", as_of=version).text for value in documents]
    return documents, texts, hits, quick, base.search("gamma one", as_of=version, mode="bm25").hits


def remains(home: Path) -> dict[str, Any]:
    """Every row and record that is left, but for the moment of expiry."""
    store = lancedb.connect(str(home / "store"))
    names = sorted(store.list_tables().tables)
    columns = {name: ["layout"] if name == "texts" else ["chunk_id", "since", "until"] for name in names}
    found: dict[str, Any] = {
        name: sorted(map(str, store.open_table(name).search().select(columns[name]).limit(None).to_list()))
        for name in names
    }
    for table in ("document", "term", "setting", "tag", "intent"):
        found[table] = sorted(rows(home, f"SELECT * FROM {table}"), key=repr)
    found["expired"] = [version for (version,) in rows(home, "SELECT version FROM snapshot WHERE expired_at NOT NULL")]
    return found


def retain(home: Path) -> None:
    QuickWriter(home).retain(POLICY)


def retain_until_killed(home: Path, point: Point) -> None:
    QuickWriter(home, at(point, kill_oneself)).retain(POLICY)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("retain")
    home = build(path)
    with kb.open(home) as base:
        before = {version: told(base, version) for version in (*KEPT, *GONE)}
    undisturbed = Path(shutil.copytree(home, path / "undisturbed"))
    events: list[Event] = []
    QuickWriter(undisturbed, events.append).retain(POLICY)
    return Scenario(home, before, points(events), remains(undisturbed))


@pytest.fixture
def copies(scenario: Scenario, tmp_path: Path) -> Callable[[], Path]:
    numbers = iter(range(10_000))
    return lambda: Path(shutil.copytree(scenario.home, tmp_path / f"copy{next(numbers)}"))


def check(scenario: Scenario, base: KnowledgeBase) -> bool:
    """Each kept version answers the same, the others all as before or not at all; whether they have expired."""
    for version in KEPT:
        assert told(base, version) == scenario.told[version]
    refused = [version for version in GONE if refuses(scenario, base, version)]
    assert refused in ([], list(GONE))
    assert base.verify().findings == ()
    return bool(refused)


def refuses(scenario: Scenario, base: KnowledgeBase, version: int) -> bool:
    try:
        assert told(base, version) == scenario.told[version]
    except Expired:
        return True
    return False


def check_stopped(scenario: Scenario, home: Path, finish: Callable[[Path], None]) -> None:
    with kb.open(home) as base:
        marked = check(scenario, base)
        finish(home)
        if finish is retain or marked:
            assert check(scenario, base)
            assert remains(home) == scenario.remains
        else:
            retain(home)
            assert remains(home) == scenario.remains


def test_the_undisturbed_run(scenario: Scenario) -> None:
    assert scenario.remains["expired"] == list(GONE)
    names = {(point.subject, point.time) for point in scenario.points if point.step == "retain"}
    steps = ("expire", "expired", "rows", "documents", "terms", "texts", "space", "end")
    assert names == {*((step, 1) for step in steps), ("rows", 2)}
    with kb.open(scenario.home.parent / "undisturbed") as base:
        assert check(scenario, base)


@pytest.mark.parametrize("finish", [retain, sync], ids=["retain", "sync"])
def test_kill(
    scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests, finish: Callable[[Path], None]
) -> None:
    """kill -9 at each step, while a reader that was open before goes on reading; a retention or a sync ends it."""
    for point in scenario.points:
        with subtests.test(point=point):
            home = copies()
            with kb.open(home) as reader:
                process = forkserver().Process(target=retain_until_killed, args=(home, point))
                process.start()
                while process.is_alive():
                    assert told(reader, KEPT[0]) == scenario.told[KEPT[0]]
                    refuses(scenario, reader, GONE[-1])
                process.join()
                assert process.exitcode == -signal.SIGKILL
            check_stopped(scenario, home, finish)


def test_fault(scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests) -> None:
    """An exception at each step, seen by a reader at that moment: within the catalog's transactions, too."""
    for number, point in enumerate(scenario.points):
        with subtests.test(point=point):
            home = copies()
            seen = []
            with kb.open(home) as reader:

                def fail(reader: KnowledgeBase = reader, seen: list[bool] = seen) -> None:
                    seen.append(check(scenario, reader))
                    raise Fault

                with pytest.raises(Fault):
                    QuickWriter(home, at(point, fail)).retain(POLICY)
            # Nothing has expired before the transaction that says so is at its end.
            assert seen == [number > 1]
            check_stopped(scenario, home, (retain, sync)[number % 2])


def test_kill_between_the_steps(scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests) -> None:
    """kill -9 as soon as the files differ by one more: in the middle of a deletion or a compaction."""
    for number in range(1, 8):
        with subtests.test(changes=number):
            home = copies()
            seen, changes = files(home), 0
            process = forkserver().Process(target=retain, args=(home,))
            process.start()
            while process.is_alive() and changes < number:
                now = files(home)
                changes += now != seen
                seen = now
            process.kill()
            process.join()
            check_stopped(scenario, home, (retain, sync)[number % 2])


def files(home: Path) -> set[str]:
    return {f"{place}/{name}" for place, _, names in os.walk(home / "store") for name in names}
