"""The daemon in process: sources side by side, failures, guards, changes by others, orders."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from crash_support import write
from daemon_support import PATIENCE_S, Followed, Steps, following

import kb
from indexer.daemon.retry import OPENS_AT
from indexer.writer import Writer
from kb.clock import now
from kb.errors import DeletionRefused, Interrupted, NotFound, SourceUnavailable
from kb.home import Home
from kb.retention import Policy


def published(followed: Followed, source: str) -> int:
    """The version that the source publishes next."""
    return int(followed.told.await_line("published", source=source)["version"])


def test_a_folder_is_followed(home: Home, writer: Writer, tmp_path: Path) -> None:
    write(tmp_path / "docs", {"a.md": "alpha"})
    writer.add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    with following(home) as followed:
        assert published(followed, "docs") == 1
        write(tmp_path / "docs", {"b.md": "beta"})
        assert published(followed, "docs") == 2
        (tmp_path / "docs" / "a.md").rename(tmp_path / "docs" / "c.md")
        published(followed, "docs")
        with kb.open(home.path) as base:
            assert sorted(one.uri for one in base.documents()) == ["b.md", "c.md"]
            assert base.verify().findings == ()


def test_a_source_that_hangs_keeps_no_other(home: Home, stage) -> None:
    slow, quick = stage("slow", a="alpha"), stage("quick", b="beta")
    slow.open.clear()
    with following(home) as followed:
        slow.await_poll()
        assert published(followed, "quick") == 1
        for number in range(3):
            quick.texts["b.md"] = f"beta {number}"
            quick.wake()
            published(followed, "quick")
        assert followed.documents("slow") == []
        slow.open.set()
        published(followed, "slow")
        assert followed.documents("slow") == ["a.md"]


def test_wakes_during_a_look_lead_to_one_more(home: Home, stage) -> None:
    docs, other = stage("docs", a="alpha"), stage("other", b="beta")
    with following(home) as followed:
        followed.sync("docs")
        docs.forget_polls()
        docs.open.clear()
        docs.wake()
        docs.await_poll()
        for _ in range(20):
            docs.wake()
        docs.texts["a.md"] = "alpha changed"
        docs.open.set()
        published(followed, "docs")
        # One more look, and no other after it: an order's look would come after any that was due before.
        docs.await_poll()
        followed.sync("other")
        assert other.polls.acquire(timeout=PATIENCE_S)
        assert not docs.polls.acquire(timeout=0.5)


def test_the_circuit_opens_and_closes(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    docs.error = SourceUnavailable("the wire is cut")
    with following(home) as followed:
        for failures in range(1, OPENS_AT + 1):
            line = followed.told.await_line("failed", source="docs")
            assert (line["failures"], line["error"]) == (failures, "the wire is cut")
            if failures < OPENS_AT:
                assert isinstance(followed.sync("docs").error, SourceUnavailable)
                followed.told.await_line("failed", source="docs", failures=failures + 1)
                break
        while followed.standing("docs").failures < OPENS_AT:
            followed.sync("docs")
        followed.told.await_line("circuit opened", source="docs")
        with kb.open(home.path) as base:
            (status,) = base.status().sources
        assert (status.circuit, status.failures >= OPENS_AT, status.last_error) == ("open", True, "the wire is cut")
        assert status.next_run == followed.standing("docs").retry_at
        docs.error = None
        assert followed.sync("docs").error is None
        followed.told.await_line("recovered", source="docs")
        with kb.open(home.path) as base:
            (status,) = base.status().sources
        assert (status.circuit, status.failures, status.last_error) == ("closed", 0, None)


def test_a_failure_is_tried_again_by_itself(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    docs.error = SourceUnavailable("the wire is cut")
    with following(home) as followed:
        followed.told.await_line("failed", source="docs")
        docs.error = None
        assert published(followed, "docs") == 1
        followed.told.await_line("recovered", source="docs")


def test_what_nobody_foresaw_is_told_and_tried_again(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    docs.error = ZeroDivisionError()
    with following(home) as followed:
        assert followed.told.await_line("failed", source="docs")["error"] == "ZeroDivisionError"
        docs.error = None
        assert published(followed, "docs") == 1


def test_the_guard_trips_and_an_order_overrules_it(home: Home, stage) -> None:
    docs = stage("docs", a="alpha", b="beta", c="gamma")
    with following(home) as followed:
        published(followed, "docs")
        docs.texts.clear()
        docs.wake()
        followed.told.await_line("guard tripped", source="docs")
        assert followed.documents("docs") == ["a.md", "b.md", "c.md"]
        assert isinstance(followed.sync("docs").error, DeletionRefused)
        with kb.open(home.path) as base:
            assert base.status().sources[0].guarded
        assert followed.sync("docs", allow_deletes=True).error is None
        assert followed.documents("docs") == []
        with kb.open(home.path) as base:
            assert not base.status().sources[0].guarded


@pytest.mark.parametrize("step", [("commit", "rows"), ("publish", "end")])
def test_a_commit_that_breaks_off_is_taken_back_before_the_next(home: Home, stage, step: tuple[str, str]) -> None:
    docs, other = stage("docs", a="alpha"), stage("other")
    steps = Steps()
    with following(home, steps) as followed:
        published(followed, "docs")
        steps.failing = (step[0], "docs", step[1])
        docs.texts["a.md"] = "alpha changed"
        docs.texts["b.md"] = "beta"
        assert isinstance(followed.sync("docs").error, RuntimeError)
        other.texts["c.md"] = "gamma"
        other.wake()
        assert published(followed, "other") == 2
        with kb.open(home.path) as base:
            assert base.verify().findings == ()
            assert sorted(one.uri for one in base.documents()) == ["a.md", "c.md"]
            assert base.document("docs:a.md").text == "alpha"
        followed.sync("docs")
        with kb.open(home.path) as base:
            assert base.verify().findings == ()
            assert base.document("docs:a.md").text == "alpha changed"


def test_the_same_text_in_two_sources_at_once(home: Home, stage) -> None:
    text = "\n\n".join(f"# {number}\n\n" + f"word{number} " * 60 for number in range(200))
    with following(home) as followed:
        names = [f"source-{number}" for number in range(6)]
        stages = [stage(name, a=text) for name in names]
        for one in stages:
            one.open.clear()
        orders = [followed.daemon.order(name, None, False) for name in names]
        for one in stages:
            one.open.set()
        assert [order.looked.result(PATIENCE_S).error for order in orders] == [None] * len(names)
        with kb.open(home.path) as base:
            assert base.verify().findings == ()
            assert len(base.documents()) == len(names)


def test_orders(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    with following(home) as followed:
        published(followed, "docs")
        with pytest.raises(NotFound, match="no source 'dogs'; known: docs"):
            followed.sync("dogs")
        docs.open.clear()
        waiting = [followed.daemon.order("docs", f"message {number}", False) for number in range(2)]
        docs.texts["a.md"] = "changed"
        docs.open.set()
        looked = [order.looked.result(PATIENCE_S) for order in waiting]
        assert sum(len(one.synced.published) for one in {id(one): one for one in looked}.values()) == 1
        (snapshot,) = next(one.synced.published for one in looked if one.synced.published)
        assert snapshot.message in ("message 0", "message 1")


def test_a_stop_answers_whoever_waits(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    docs.open.clear()
    with following(home) as followed:
        docs.await_poll()
        under_way = followed.daemon.order("docs", None, False)
        followed.daemon.stop()
        assert isinstance(under_way.looked.result(PATIENCE_S).error, Interrupted)
        followed.thread.join(PATIENCE_S)
        assert followed.told.events("left behind")[0]["sources"] == ["docs"]
        with pytest.raises(Interrupted):
            followed.daemon.order("docs", None, False)


def test_old_versions_are_thinned_between_two_writes(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    with following(home) as followed:
        for number in range(4):
            docs.texts["a.md"] = f"alpha {number}"
            followed.sync("docs")
        assert [one.version for one in followed.daemon.retain(Policy(last=1)).expired] == [1, 2, 3]
        docs.texts["a.md"] = "alpha at last"
        followed.sync("docs")
        with kb.open(home.path) as base:
            assert [one.version for one in base.log()] == [5, 4]
            assert base.verify().findings == ()


def test_what_a_dead_daemon_had_under_way_is_shown_no_more(home: Home, stage) -> None:
    docs = stage("docs", a="alpha")
    with following(home) as followed:
        published(followed, "docs")
    with Writer(home).catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE standing SET running_since = '2024-01-01T00:00:00.000000Z'")
    docs.forget_polls()
    docs.open.clear()
    with following(home) as followed:
        docs.await_poll()
        assert followed.standing("docs").running_since is None


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_delays_no_look(home: Home, stage, hours: int) -> None:
    ahead = timedelta()
    docs = stage("docs", a="alpha")
    with following(home, present=lambda: now() + ahead) as followed:
        published(followed, "docs")
        # From now on the daemon's clock is an hour off, and then it is right again.
        ahead = timedelta(hours=hours)
        assert followed.told.await_line("clock stepped")["seconds"] == hours * 3600
        ahead = timedelta()
        assert followed.told.await_line("clock stepped")["seconds"] == -hours * 3600
        with closing(Writer(home).catalog):
            Writer(home).change_source("docs", {"every": "1s"})
        followed.told.await_line("source changed", source="docs")
        docs.forget_polls()
        for _ in range(3):
            docs.await_poll()
