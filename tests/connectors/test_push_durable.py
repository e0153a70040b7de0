"""What is pushed is kept: its process is killed at every line and at any moment, and many push at once."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from connectors.push import PushConnector, PushOptions, Spool
from connectors.push.connector import spool_path
from kb.pushing import Delete, Put

ROOT = Path(__file__).parents[2]
NAME = "ab" * 16


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(spool_path(tmp_path, NAME), 2**20)
    made.create()
    return made


def contents(spool: Spool) -> Mapping[str, bytes]:
    return {uri: spool.read(uri).content for uri in spool.held().stamps}


def killed_at(line: int, act: Callable[[], object]) -> tuple[bool, bytes]:
    """Runs it in a process that is killed at that line of ours, counted from 1: whether it was, and what it said."""
    reader, writer = os.pipe()
    process = os.fork()
    if not process:
        with contextlib.suppress(BaseException):
            sys.settrace(_killer(line))
            act()
            sys.settrace(None)
            os.write(writer, b"done")
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read()
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status), said


def _killer(line: int) -> Callable[[FrameType, str, Any], Any]:
    passed = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal passed
        if "connectors/push/" not in frame.f_code.co_filename:
            return None
        passed += event == "line"
        if passed == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def test_killed_at_any_line_a_push_happened_or_did_not(spool: Spool) -> None:
    before = {"a": b"0", "b": b"0"}
    after = {"a": b"1", "c": b"1"}
    changes = [Put("a", b"1"), Delete("b"), Put("c", b"1")]
    undone, seen = [Put("a", b"0"), Put("b", b"0"), Delete("c")], []
    for line in range(1, 1_000):
        spool.take(undone)
        killed, said = killed_at(line, lambda key=str(line): spool.take(changes, key))
        seen.append(contents(spool) == after)
        assert contents(spool) in (before, after)
        if not killed:
            assert (said, seen[-1]) == (b"done", True)
            break
        # Who did not hear a reply asks again, and it is as if it had been done once.
        spool.take(changes, str(line))
        assert contents(spool) == after
    assert not killed
    assert len(seen) > 60
    # Killed before the commit there is nothing of it, after it all, and between the two there is nothing.
    assert seen == sorted(seen)
    assert seen.count(True) > 1


PUSHER = """
import sys
from pathlib import Path
from connectors.push import Spool
from kb.pushing import Put
spool, who = Spool(Path(sys.argv[1]), 2**20), sys.argv[2]
for number in range(int(sys.argv[3])):
    own = Put(f"{who}/{number}", f"{who} {number};".encode() * 9_000)
    spool.take([own, Put("shared", who.encode())], f"{who}-{number}")
    print(number, flush=True)
"""


def pusher(directory: Path, who: str, count: int) -> "subprocess.Popen[str]":
    command = (sys.executable, "-c", PUSHER, str(directory), who, str(count))
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_killed_at_any_moment_what_was_replied_to_is_there(spool: Spool, tmp_path: Path) -> None:
    """The kill comes from outside, somewhere within the push after the one that was last replied to."""
    for number in range(8):
        who = f"p{number}"
        with pusher(spool_path(tmp_path, NAME), who, 10_000) as process:
            assert process.stdout is not None
            replied = [int(process.stdout.readline()) for _ in range(number + 1)]
            process.kill()
            replied += [int(line) for line in process.stdout]
        held = {uri: content for uri, content in contents(spool).items() if uri.startswith(f"{who}/")}
        assert held.keys() >= {f"{who}/{each}" for each in replied}
        assert len(held) <= len(replied) + 1
        for uri, content in held.items():
            assert content == uri.replace("/", " ").encode().join([b"", b";"]) * 9_000
        with contextlib.closing(sqlite3.connect(spool_path(tmp_path, NAME) / "spool.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_many_push_at_once_while_it_is_listed(spool: Spool, tmp_path: Path) -> None:
    connector = PushConnector(PushOptions(NAME), workspace=tmp_path)
    processes = [pusher(spool_path(tmp_path, NAME), who, 15) for who in "abc"]
    sequences, listed = [0], 0
    while any(process.poll() is None for process in processes):
        listing = connector.poll(None)
        assert len(listing.entries) >= listed
        listed = len(listing.entries)
        sequences.append(int(listing.revision or 0))
        for entry in listing.entries[-1:]:
            assert connector.fetch(entry).content
    assert [(process.communicate()[0].split(), process.returncode) for process in processes] == [
        ([str(number) for number in range(15)], 0)
    ] * 3
    assert sequences == sorted(sequences)
    assert spool.held().stamps.keys() == {f"{who}/{number}" for who in "abc" for number in range(15)} | {"shared"}
    assert 45 + 3 <= spool.held().sequence <= 90
