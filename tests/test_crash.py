"""Publish or nothing: a sync that is stopped anywhere loses nothing, shows nothing, and goes on where it stood."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash_support import (
    Point,
    QuickWriter,
    answers,
    at,
    commit,
    forkserver,
    points,
    published,
    rows,
    sync,
    sync_until_killed,
    write,
)

import kb
from indexer.creation import create
from indexer.progress import Event
from kb.base import KnowledgeBase

MODEL = "hashing:32"
LEAST = {"first": 20, "edits": 16, "history": 24}
"""Points at which each scenario is stopped: sixty together."""


class Fault(Exception):
    """What a disk or a library may raise at any moment."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A home before a sync, and what an undisturbed run of that sync makes of it."""

    name: str
    home: Path
    before: int
    events: list[Event]
    snapshots: list[dict[str, Any]]
    answers: dict[int, dict[str, object]]
    embedded: int

    @property
    def points(self) -> list[Point]:
        """All that another run passes: what was just written may or may not be read again, though it did not change."""
        changed = {event.subject for event in self.events if event.step == "extract"}
        return [point for point in points(self.events) if point.step != "fetch" or point.subject in changed]


def text(name: str, sections: int = 30) -> str:
    bodies = (f"alpha {name} beta {n} " + f"gamma {n} delta of {name}. " * 18 for n in range(sections))
    return f"# {name}\n\n" + "\n\n".join(f"## {name} {n}\n\n{body}" for n, body in enumerate(bodies)) + "\n"


def first(path: Path) -> Path:
    """A folder that was never synced, with enough text for three batches of embeddings."""
    folder = path / "docs"
    home = make(path, "folder", {"path": str(folder)})
    write(folder, {f"{name}.md": text(name) for name in ("one", "two", "three", "four")})
    write(folder, {"empty.md": "", "junk": b"\0\1"})
    return home


def edits(path: Path) -> Path:
    """Edits, a removal, a rename, a revert and an addition after two published versions."""
    folder = path / "docs"
    home = make(path, "folder", {"path": str(folder)})
    write(folder, {f"{name}.md": text(name, 6) for name in ("one", "two", "three", "four", "five")})
    sync(home)
    write(folder, {"two.md": text("two", 9)})
    sync(home)
    write(folder, {"one.md": text("one", 6).replace("alpha one", "alpha and one"), "two.md": text("two", 6)})
    (folder / "three.md").unlink()
    (folder / "four.md").rename(folder / "for.md")
    write(folder, {"new/six.md": text("six", 80)})
    return home


def history(path: Path) -> Path:
    """Four commits, one of them without a document, after two published ones."""
    repository = path / "repository"
    home = make(path, "git", {"url": str(repository), "history": "all", "include": "*.md"})
    commit(repository, {"one.md": text("one", 4), "two.md": text("two", 4)}, day=1)
    commit(repository, {"three.md": text("three", 4)}, day=2)
    sync(home)
    commit(repository, {"one.md": text("one", 5), "four.md": text("four", 3)}, day=3)
    commit(repository, {"script.py": "print()"}, day=4)
    commit(repository, {"two.md": None, "deux.md": text("two", 4)}, day=5)
    commit(repository, {"one.md": text("one", 4), "three.md": None}, day=6)
    return home


def make(path: Path, kind: str, options: dict[str, str]) -> Path:
    """A new home with one source."""
    home = create(path / "home", MODEL)[0].path
    QuickWriter(home).add_source("docs", kind, options)
    return home


@pytest.fixture(scope="module", params=[first, edits, history], ids=lambda build: build.__name__)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    build: Callable[[Path], Path] = request.param
    path = tmp_path_factory.mktemp(build.__name__)
    home = build(path)
    before = len(rows(home, "SELECT version FROM snapshot"))
    undisturbed = Path(shutil.copytree(home, path / "undisturbed"))
    events: list[Event] = []
    QuickWriter(undisturbed, events.append).sync(allow_deletes=True)
    with kb.open(undisturbed) as base:
        made = published(base)
        found = {version: answers(base, version) for version in range(1, len(made) + 1)}
        embedded = sum(snapshot.chunks.embedded for snapshot in base.log(None)[: len(made) - before])
    return Scenario(build.__name__, home, before, events, made, found, embedded)


@pytest.fixture
def copies(scenario: Scenario, tmp_path: Path) -> Callable[[], Path]:
    """Homes as they were before the sync: one for each stop."""
    numbers = iter(range(10_000))
    return lambda: Path(shutil.copytree(scenario.home, tmp_path / f"copy{next(numbers)}"))


def check_head(scenario: Scenario, base: KnowledgeBase) -> int:
    """Whatever is published is what the undisturbed run publishes, and the newest answers the same; returns it."""
    made = published(base)
    assert scenario.before <= len(made)
    assert made == scenario.snapshots[: len(made)]
    if made:
        assert answers(base, len(made)) == scenario.answers[len(made)]
    return len(made)


def made_by(scenario: Scenario, stop: Point) -> int:
    """How many embeddings a stop at the point leaves without a version that holds them."""
    made = total = 0
    published = False
    for event, point in zip(scenario.events, points(scenario.events), strict=True):
        if event.step == "embed":
            made, total = event.done, event.total
        else:
            made = total = 0 if published else total
        if point == stop:
            break
        published = (event.step, event.subject) == ("publish", "end")
    return made


def check_stopped(scenario: Scenario, home: Path, stop: Point | None = None) -> None:
    """After a stop: what was published stands, and the next sync comes to what the undisturbed one came to."""
    kept = rows(home, "SELECT count(*) FROM pending_vector")[0][0]
    assert stop is None or kept == made_by(scenario, stop), "an embedding was lost"
    with kb.open(home) as base:
        head = check_head(scenario, base)
        for version in range(1, head):
            assert answers(base, version) == scenario.answers[version]
        assert not head or base.verify().findings == ()
        already = embedded(base, scenario.before)
        sync(home)
        assert published(base) == scenario.snapshots
        for version in range(head + 1, len(scenario.snapshots) + 1):
            assert answers(base, version) == scenario.answers[version]
        assert base.verify().findings == ()
        made = embedded(base, head)
        assert already + kept + made == scenario.embedded, "an embedding was made twice"
    assert rows(home, "SELECT (SELECT count(*) FROM intent), (SELECT count(*) FROM pending_vector)") == [(0, 0)]
    sync(home)
    assert len(rows(home, "SELECT version FROM snapshot")) == len(scenario.snapshots)


def embedded(base: KnowledgeBase, after: int) -> int:
    return sum(snapshot.chunks.embedded for snapshot in base.log(None) if snapshot.version > after)


def test_enough_points(scenario: Scenario) -> None:
    """Every step of a sync is among the points, and together they are more than sixty."""
    steps = {(point.step, point.subject if point.step in ("commit", "publish") else "") for point in scenario.points}
    commit = {("commit", part) for part in ("intent", "texts", "rows", "ended rows")}
    named = commit | {("publish", "begin"), ("publish", "end")}
    assert steps == named | {(step, "") for step in ("wake", "poll", "fetch", "extract", "diff", "embed", "upkeep")}
    assert len(set(scenario.points)) == len(scenario.points) >= LEAST[scenario.name]


def test_kill(scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests) -> None:
    """kill -9 at each step, while a reader that was open before goes on reading."""
    for point in scenario.points:
        with subtests.test(point=point):
            home = copies()
            with kb.open(home) as reader:
                process = forkserver().Process(target=sync_until_killed, args=(home, point))
                process.start()
                while process.is_alive():
                    check_head(scenario, reader)
                process.join()
                assert process.exitcode == -signal.SIGKILL
                check_head(scenario, reader)
            check_stopped(scenario, home, point)


def test_fault(scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests) -> None:
    """An exception at each step, seen by a reader at that moment: within the catalog's transaction, too."""
    for point in scenario.points:
        with subtests.test(point=point):
            home = copies()
            with kb.open(home) as reader:

                def fail(reader: KnowledgeBase = reader) -> None:
                    check_head(scenario, reader)
                    raise Fault

                with pytest.raises(Fault):
                    QuickWriter(home, at(point, fail)).sync(allow_deletes=True)
            check_stopped(scenario, home, point)


def test_kill_between_the_steps(scenario: Scenario, copies: Callable[[], Path], subtests: pytest.Subtests) -> None:
    """kill -9 as soon as a file more lies on the disk: in the middle of a merge or of the building of an index."""
    grown = files(scenario.home.parent / "undisturbed") - files(scenario.home)
    for number in range(1, grown, max(grown // 8, 1)):
        with subtests.test(files=number):
            home = copies()
            enough = files(home) + number
            process = forkserver().Process(target=sync, args=(home,))
            process.start()
            while process.is_alive() and files(home) < enough:
                pass
            process.kill()
            process.join()
            check_stopped(scenario, home)


def files(home: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(home))
