"""Loaders that fail, hang, crash or print: the source is unavailable, and nothing else comes of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from connectors.loader import LoaderConnector, LoaderOptions
from kb.errors import SourceUnavailable

ROOT = Path(__file__).parents[2]
START = """
import ctypes, os, signal, subprocess, sys, threading, time
from types import SimpleNamespace
def documents(count=3, text="x"):
    for number in range(count):
        yield SimpleNamespace(page_content=text, metadata={"source": str(number)})
class Loader:
    def __init__(self, **arguments):
        self.arguments = arguments
"""
Run = Callable[..., LoaderConnector]


@pytest.fixture
def connect(tmp_path: Path) -> Run:
    """Makes a connector for a loader whose method is given, or whose whole module."""

    def make(body: str, loader: str = "ours:Loader", **options: Any) -> LoaderConnector:
        method = f"{START}    def lazy_load(self):\n        yield from documents()\n        {body}\n"
        (tmp_path / "ours.py").write_text(body if "\n" in body else method)
        return LoaderConnector(LoaderOptions(loader, directory=tmp_path, **options), workspace=tmp_path / "workspace")

    return make


def refusal(connector: LoaderConnector) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        connector.poll(None)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('all\\nis\\tlost')", "loader ours:Loader: ValueError: all is lost; see to it"),
        ("raise KeyError", "KeyError; see to it"),
        ("raise BaseException('x')", "BaseException: x"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise ValueError('é\\x1b[31m\\ud800' + 'x' * 10_000)", "ValueError: é%1B[31m"),
        ("sys.exit('bye')", "SystemExit: bye"),
        ("os._exit(0)", "ended itself with exit code 0 before all was loaded"),
        ("os._exit(3)", "ended itself with exit code 3 before all was loaded"),
        ("os.abort()", "crashed (SIGABRT)"),
        ("ctypes.string_at(0)", "crashed (SIGSEGV)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "crashed (SIGKILL)"),
        ("os.kill(os.getpid(), 40)", "crashed (signal 40)"),
        ("os.closerange(0, 65_536)", "before all was loaded"),
        ("yield None", "TypeError: it gave a NoneType, which is no document"),
        ("yield SimpleNamespace(page_content=b'x')", "TypeError: it gave a SimpleNamespace, which is no document"),
        ("yield SimpleNamespace(page_content='x', metadata=3)", "TypeError: it gave a SimpleNamespace whose metadata"),
        ("yield SimpleNamespace(text='x', metadata={'a': 'b' * 10**6})", "metadata of one of its documents is longer"),
        ("bytearray(2**31)", "MemoryError; raise `memory_mb` (300)"),
    ],
)
def test_what_ends_badly_is_unavailable_whatever_it_gave(connect: Run, body: str, words: str) -> None:
    found = refusal(connect(body, memory_mb=300))
    assert words in found
    assert len(found) < 600


@pytest.mark.parametrize(
    ("module", "loader", "words"),
    [
        ("\n", "nowhere.at_all:Loader", "ModuleNotFoundError: No module named 'nowhere'; install the package"),
        ("\n", "ours:Loader", "AttributeError: module 'ours' has no attribute 'Loader'; install the package"),
        ("\nimport nowhere", "ours:Loader", "No module named 'nowhere'"),
        ("\nif", "ours:Loader", "SyntaxError"),
        ("\nLoader = 3", "ours:Loader", "TypeError: 'int' object is not callable; check `arguments`"),
        (
            "\nclass Loader: pass",
            "ours:Loader",
            "Loader is no loader: it can do none of lazy_load, load, lazy_load_data",
        ),
        ("\nclass Loader:\n    def __init__(self, path): pass", "ours:Loader", "argument: 'path'; check `arguments`"),
        ("\nclass Loader:\n    def load(self): return 3", "ours:Loader", "TypeError: 'int' object is not iterable"),
        ("\nclass Loader:\n    def lazy_load(self): raise NotImplementedError", "ours:Loader", "can do none of"),
    ],
)
def test_what_cannot_be_made_is_unavailable(connect: Run, module: str, loader: str, words: str) -> None:
    assert words in refusal(connect(module, loader))


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    connector = LoaderConnector(LoaderOptions("a.b", directory=gone), workspace=tmp_path)
    assert f"cannot be run: No such file or directory: {gone}" in refusal(connector)


def test_without_a_directory_relative_paths_lead_nowhere(connect: Run, tmp_path: Path, monkeypatch: Any) -> None:
    """They would mean something else wherever a sync is started."""
    (tmp_path / "a.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    options = LoaderOptions("builtins.open", arguments={"file": "a.txt"})
    connector = LoaderConnector(options, workspace=tmp_path / "workspace")
    assert "FileNotFoundError: [Errno 2] No such file or directory: '<file>'" in refusal(connector)


@pytest.mark.parametrize(
    ("arguments", "said", "shown"),
    [
        ({"token": "s3cret"}, "bad s3cret!", "bad <token>!"),
        ({"in": {"deep": ["s3cret"]}}, "bad s3cret!", "bad <deep>!"),
        ({"token": "s3 c/ret"}, "at /?t=s3%20c%2Fret and s3+c%2Fret", "at /?… and <token>"),
        ({"token": 's3"c\\ret'}, '{"t": "s3\\"c\\\\ret"}', '{"t": "<token>"}'),
        ({"url": "https://me:s3cret@example.org/a"}, "s3cret was refused for https://me:s3cret@example.org/a", "<url>"),
        ({"url": "x://me:s3%20cret@y"}, "the password s3 cret is wrong", "the password <url> is wrong"),
        ({"key": "-----BEGIN\ns3cretline\n"}, "no key: s3cretline", "no key: <key>"),
        ({"key": "s3cret", "s3": "key!"}, "s3cret key!", "<key> <s3>"),
        ({"pin": "42"}, "pin 42 of 1422", "pin <pin> of 1422"),
        ({"a": "s3c", "b": "s3cret"}, "s3cret", "<b>"),
        ({}, "https://me:s3cret@example.org/a?key=s3cret failed", "https://example.org/a?… failed"),
        ({"token": "s3cret\n"}, "bad s3cret", "bad <token>"),
    ],
)
def test_what_it_was_given_is_not_told(connect: Run, arguments: dict[str, object], said: str, shown: str) -> None:
    found = refusal(connect(f"raise ValueError({said!r})", arguments=arguments))
    assert shown in found
    assert "s3" not in found.replace("<b>", "").replace("<s3>", "")


def test_what_it_prints_is_not_ours(connect: Run, capfd: pytest.CaptureFixture[str]) -> None:
    noise = "print('out'); os.write(1, b'out'); os.write(2, b'err'); os.system('echo out; echo err >&2')"
    assert len(connect(f"{noise}; assert sys.stdin.read() == ''").poll(None).entries) == 3
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def alive(tmp_path: Path) -> IO[bytes]:
    """A pipe that a loader and what it starts open for writing: its end tells that all of them are gone."""
    os.mkfifo(tmp_path / "alive")
    with open(os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK), "rb") as pipe:
        os.set_blocking(pipe.fileno(), True)
        yield pipe


STARTS = "self.alive = open('alive', 'wb'); subprocess.Popen(['sleep', '1000'], stdout=self.alive); "


@pytest.mark.parametrize("ends", ["raise ValueError", "os._exit(1)", "pass", "threading.Thread(target=input).start()"])
def test_nothing_that_it_started_is_left(connect: Run, alive: IO[bytes], ends: str) -> None:
    connector = connect(STARTS + ends)
    if ends in ("raise ValueError", "os._exit(1)"):
        refusal(connector)
    else:
        assert len(connector.poll(None).entries) == 3
    assert alive.read() == b""


@pytest.mark.parametrize(
    "hangs", ["time.sleep(1000)", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); time.sleep(1000)"]
)
def test_what_hangs_is_ended(connect: Run, alive: IO[bytes], hangs: str) -> None:
    found = refusal(connect(STARTS + hangs, timeout_s=1))
    assert "did not end within 1 s; raise `timeout_s`" in found
    assert alive.read() == b""


PARENT = """
import sys
from pathlib import Path
from connectors.loader import LoaderConnector, LoaderOptions
place = Path(sys.argv[1])
LoaderConnector(LoaderOptions("ours:Loader", directory=place), workspace=place / "workspace").poll(None)
"""


def test_it_ends_with_a_parent_that_is_killed(connect: Run, tmp_path: Path) -> None:
    connect("self.alive = open('alive', 'wb'); time.sleep(1000)")
    os.mkfifo(tmp_path / "alive")
    command = (sys.executable, "-c", PARENT, str(tmp_path))
    # The pipe is open once the loader opens it, too.
    with subprocess.Popen(command, cwd=ROOT) as parent, open(tmp_path / "alive", "rb") as alive:
        parent.kill()
        assert alive.read() == b""
    assert list((tmp_path / "workspace" / "loader").iterdir()) == []


def test_threads_that_do_not_end_do_not_hold_it(connect: Run) -> None:
    assert len(connect("threading.Thread(target=time.sleep, args=(1000,)).start()").poll(None).entries) == 3


def test_a_fork_writes_nothing_twice(connect: Run) -> None:
    forks = "child = os.fork(); child or sys.exit(); os.waitpid(child, 0)"
    assert [entry.uri for entry in connect(forks).poll(None).entries] == ["0", "1", "2"]
