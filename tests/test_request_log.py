"""The request log: every search is there, whole, can be asked again, and no search fails for its sake."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from access_support import TEXT
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from kb.catalog import requests
from kb.clock import now
from kb.errors import NotFound, UsageError
from kb.home import CONFIG
from kb.retention import Policy

ROOT = Path(__file__).parent.parent


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    made = Workbench(tmp_path, DIMENSIONS)
    made.add_unregistered("shelf")
    publish(made, "thirty", "legal")
    yield made
    made.close()


def publish(bench: Workbench, days: str, group: str) -> None:
    held = {"a.md": Paper(f"{TEXT} {days}"), "b.md": Paper(f"{TEXT} {days} b", access=(group,))}
    bench.sync_with("shelf", Shelf(held))


def configure(bench: Workbench, line: str) -> None:
    with (bench.home.path / CONFIG).open("a") as file:
        file.write(f"{line}\n")


def logged_ids(bench: Workbench) -> list[str]:
    with sqlite3.connect(bench.home.path / "catalog.sqlite") as connection:
        found = [row[0] for row in connection.execute("SELECT request_id FROM request ORDER BY asked_at")]
    connection.close()
    return found


def test_a_search_is_logged_as_it_was_answered(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base:
        asker = base.seen_by(["legal"], caller="app")
        answer = asker.search("customers", k=3, mode="bm25", filters={"media_type": "text/*"}, as_of="1")
        found = base.request(answer.request_id)
        assert (found.caller, found.groups, found.query) == ("app", ("legal",), "customers")
        assert (found.reference, found.version, found.took_ms) == ("1", 1, answer.took_ms)
        assert found.settings == {"k": 3, "mode": "bm25", "exact": False, "filters": {"media_type": "text/*"}}
        assert [(hit.chunk_id, hit.score) for hit in found.hits] == [(hit.chunk_id, hit.score) for hit in answer]
        assert asker.request(answer.request_id) == found
        for other in (base.seen_by(["legal"], caller="other"), base.seen_by(None, caller="reader")):
            for verb in (other.request, other.replay, lambda one, own=other: own.feedback(one, useful=True)):
                with pytest.raises(NotFound):
                    verb(answer.request_id)
        for strange in ("", "x", "0" * 32, "\ud800", "\0", "%"):
            with pytest.raises(NotFound):
                base.request(strange)


def test_a_replay_gives_the_same_or_says_what_differs(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base:
        asked = {"all": base, "app": base.seen_by(["legal"], caller="app")}
        ids = {name: asker.search("thirty customers").request_id for name, asker in asked.items()}
        assert [asker.replay(ids[name]).identical for name, asker in asked.items()] == [True, True]
        publish(bench, "sixty", "legal")
        assert base.replay(ids["app"]).identical, "an auditor asks with the asker's eyes"
        later = asked["app"].replay(ids["app"], as_of="head")
        assert (later.identical, {one.reason for one in later.gone}, len(later.moved)) == (False, {"absent"}, 2)
        assert later.answer is not None
        assert later.answer.as_of.version == 2
        publish(bench, "sixty", "other")
        assert base.replay(ids["all"]).identical, "lists are nothing to one who sees everything"
        hidden = asked["app"].replay(ids["app"])
        assert [(one.reason, one.chunk_id) for one in hidden.gone] == [("hidden", None)]
        assert base.replay(ids["app"]).gone[0].chunk_id is not None
        assert len(asked["app"].request(ids["app"]).hits) == 1
        assert base.retain(Policy(last=1))
        expired = base.replay(ids["all"])
        assert (expired.identical, expired.answer) == (False, None)
        assert "version 1 has expired" in str(expired.reason)


def test_feedback_is_kept_with_its_request(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base:
        app = base.seen_by([], caller="app")
        answer = app.search("customers")
        app.feedback(answer.request_id, useful=False, passage="shelf:a.md", comment="30 days")
        base.search("customers")
        for wrong in ("\0", "\ud800", "x" * 10_001):
            with pytest.raises(UsageError):
                app.feedback(answer.request_id, useful=True, comment=wrong)
        (said,) = app.feedbacks()
        assert base.feedbacks() == [said]
        assert (said.request_id, said.useful, said.passage) == (answer.request_id, False, "shelf:a.md")
        assert base.seen_by([], caller="other").feedbacks() == []
        with base.catalog.writing() as connection:
            requests.prune(connection, now() + timedelta(days=1))
    assert logged_ids(bench) == [answer.request_id], "what was judged is kept for evaluation"


def test_old_requests_go(bench: Workbench) -> None:
    configure(bench, "log_retain_days = 7")
    with kb.open(bench.home.path) as base:
        first = base.request(base.search("customers").request_id)
        for age in (6, 8):
            old = replace(first, request_id=f"{age:032x}", asked_at=now() - timedelta(days=age))
            with base.catalog.writing() as connection:
                requests.add(connection, [old])
    with kb.open(bench.home.path) as base:
        newest = base.search("customers").request_id
    assert logged_ids(bench) == [f"{6:032x}", first.request_id, newest]


def test_texts_and_the_whole_log_can_be_left_out(bench: Workbench) -> None:
    configure(bench, "log_query_text = false")
    with kb.open(bench.home.path) as base:
        asked = base.search("customers").request_id
        assert base.request(asked).query is None
        assert "log_query_text" in str(base.replay(asked).reason)
        assert "customers" not in str(base.request(asked))
    configure(bench, "log_requests = false")
    with kb.open(bench.home.path) as base:
        with pytest.raises(NotFound):
            base.request(base.search("customers").request_id)
        assert base.unlogged == 0
    assert logged_ids(bench) == [asked]


def test_a_search_waits_a_moment_for_a_writer_and_is_logged_later(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base:
        before = base.search("customers").request_id
        with bench.writer.catalog.writing():
            first = base.search("customers")
            assert len(first) == 2
            assert base.unlogged == 1
        assert logged_ids(bench) == [before]
    assert logged_ids(bench) == [before, first.request_id], "at the latest when it is closed"


def test_searches_of_many_threads_are_all_there(bench: Workbench) -> None:
    with kb.open(bench.home.path) as base, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda place: base.search(f"customers {place % 7}"), range(200)))
        assert sorted(logged_ids(bench)) == sorted(answer.request_id for answer in answers)
        assert base.unlogged == 0


ASKING = """
import sys, kb
from concurrent.futures import ThreadPoolExecutor
base = kb.open(sys.argv[1])
def ask(place):
    while True:
        sys.stdout.write(base.search("customers thirty", k=5).request_id + "\\n")
        sys.stdout.flush()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(ask, range(4)))
"""


def test_what_was_answered_is_logged_whole_after_a_kill(bench: Workbench) -> None:
    command = [sys.executable, "-c", ASKING, str(bench.home.path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    ended = {line.strip() for line in told if line.endswith("\n") and len(line) == 33}
    logged = logged_ids(bench)
    assert ended <= set(logged)
    with kb.open(bench.home.path) as base:
        for one in logged:
            assert base.replay(one).identical
