"""Coverage: which sources are behind their freshness target when an answer is given, as far as its caller may know."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench import Workbench, fill

import kb
from kb.answers import Coverage
from kb.catalog import runs, sources
from kb.catalog.runs import Run
from kb.clock import now
from kb.coverage import coverage
from kb.status import status

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
AGES = st.lists(st.tuples(st.integers(0, 7_200), st.booleans()), max_size=4)
TARGETS = {"fast": "1m", "slow": "1h", "loose": None}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = Workbench(tmp_path, 32)
    for name in TARGETS:
        fill(made.add_folder(name), {"a.md": f"# {name}\n\nrefund period"})
    made.sync(*TARGETS)
    note(made, now(), *TARGETS)
    for name, target in TARGETS.items():
        made.writer.change_source(name, {"fresh_within": target} if target else {})
    return made


def note(bench: Workbench, started_at: datetime, *names: str, succeeded: bool = True) -> None:
    """That a sync of each source ran."""
    with bench.writer.catalog.writing() as connection:
        for name in names:
            runs.add(connection, Run(name, started_at, started_at, succeeded, None, 0, {}, 0, 0.0))


def test_it_agrees_with_the_status_at_every_moment(bench: Workbench) -> None:
    @given(runs_of=st.fixed_dictionaries(dict.fromkeys(TARGETS, AGES)), later=st.integers(0, 7_200))
    def check(runs_of: dict[str, list[tuple[int, bool]]], later: int) -> None:
        moment = NOW + timedelta(seconds=later)
        for name, ages in runs_of.items():
            for age, succeeded in ages:
                note(bench, NOW - timedelta(seconds=age), name, succeeded=succeeded)
        with bench.writer.catalog.reading() as connection:
            stands = status(connection, bench.home, None, moment).sources
            behind = tuple(one.source.name for one in stands if one.stale)
            assert coverage(connection, moment, None) == Coverage(not behind, behind)

    check()
    bench.close()


def test_an_answer_tells_it(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base:
        assert base.search("refund").coverage == Coverage(True, ())
        note(bench, NOW, *TARGETS)
        assert base.search("refund").coverage == Coverage(False, ("fast", "slow"))
        assert base.search("refund", as_of=1).coverage.behind == ("fast", "slow"), "it is of now, whatever is asked"
        assert base.search("refund", filters={"source": ["slow", "loose"]}).coverage.behind == ("slow",)
        assert base.search("refund", filters={"source": "loose"}).coverage.complete
        note(bench, now(), "slow")
        note(bench, now(), "fast", succeeded=False)
        assert base.search("refund").coverage.behind == ("fast",)
    bench.close()


def test_a_source_that_was_never_read_is_behind_and_a_hidden_one_is_not_told(bench: Workbench) -> None:
    with bench.writer.catalog.writing() as connection:
        sources.change(connection, "slow", access=["legal"])
    bench.sync("slow")
    note(bench, NOW, "slow")
    bench.writer.add_source("never", "folder", {"path": str(bench.path)}, fresh_within="1d")
    with kb.open(bench.home.path) as base:
        told = {groups: base.search("refund", groups=groups).coverage.behind for groups in (None, (), ("legal",))}
        assert told == {None: ("never", "slow"), (): ("never",), ("legal",): ("never", "slow")}
    bench.close()
