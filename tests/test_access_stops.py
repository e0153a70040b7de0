"""A change of access that is stopped, at any step, holds after the next sync, and never counts as applied before."""

from pathlib import Path
from typing import Any

import pytest
from access_support import TEXT, clean, seen
from crash_support import Point, QuickWriter, at, forkserver, rows, sync, sync_until_killed, write
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from indexer.creation import create


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Workbench(tmp_path, DIMENSIONS)
    made.add_unregistered("shelf")
    yield made
    made.close()


class Fault(Exception):
    """What may be raised at any moment."""


STEPS = ("intent", "rows", "settle")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", [(None, ("staff",)), (("staff",), None), (("x",), ("staff",))])
def test_a_change_that_was_stopped_holds_after_the_next_sync(
    bench: Workbench, step: str, change: tuple[tuple[str, ...] | None, tuple[str, ...] | None]
) -> None:
    before, after = (Paper(TEXT, access=access) for access in change)
    bench.sync_with("shelf", Shelf({"a.md": before}))
    as_before = seen(bench)
    with pytest.raises(Fault):
        bench.sync_with("shelf", Shelf({"a.md": after}), observe=at(Point("permit", step, 1), fail))
    assert clean(bench) == ()
    if step == "intent" or (step == "rows" and change[0] is not None):
        assert seen(bench) == as_before
    if change[0] is None and step != "intent":
        assert seen(bench)["nobody"] == [], "what is noted closes, whether or not the rows have it"
    bench.sync_with("shelf", Shelf({"a.md": after}))
    assert seen(bench)["nobody"] == (["a.md"] if change[1] is None else [])
    assert seen(bench)["staff"] == ["a.md"]
    assert clean(bench) == ()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", [None, ("staff",)])
def test_a_change_that_was_stopped_and_taken_back_leaves_nothing(
    bench: Workbench, step: str, first: tuple[str, ...] | None
) -> None:
    """The rows may hold what was on its way, though nothing differs from what held before."""
    before, other = Paper(TEXT, access=first), Paper(TEXT, access=() if first is None else None)
    bench.sync_with("shelf", Shelf({"a.md": before}))
    as_before = seen(bench)
    with pytest.raises(Fault):
        bench.sync_with("shelf", Shelf({"a.md": other}), observe=at(Point("permit", step, 1), fail))
    bench.sync_with("shelf", Shelf({"a.md": before}))
    assert seen(bench) == as_before
    assert clean(bench) == ()


def fail() -> None:
    raise Fault


@pytest.mark.parametrize("step", STEPS)
def test_kill(tmp_path: Path, step: str) -> None:
    home = create(tmp_path / "home", "hashing:32")[0].path
    write(tmp_path / "docs", {"a.md": TEXT, "b.md": f"{TEXT} b"})
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    sync(home)
    QuickWriter(home).change_source("docs", {"access": "staff"})
    process = forkserver().Process(target=sync_until_killed, args=(home, Point("permit", step, 1)))
    process.start()
    process.join()
    assert process.exitcode == -9
    with kb.open(home) as base:
        settled = rows(home, "SELECT count(*) FROM document_access WHERE applied")[0][0]
        assert settled == 0, "nothing counts as applied before it is"
        assert len(base.search("customers", groups=[])) == (2 if step == "intent" else 0)
        sync(home)
        assert len(base.search("customers", groups=[])) == 0
        assert len(base.search("customers", groups=["staff"])) == 2
        assert base.verify().findings == ()
