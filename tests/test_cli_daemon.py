"""Commands that need the model ask a daemon that has it; where none answers, they do without, and say nothing."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import client_support
import pytest
from cli_support import reply, said, two_sources
from crash_support import call
from tools_support import served

from kb.daemon import Endpoint, announced, socket_place
from kb.home import open_home

SEARCH = ("search", "return goods", "--as-of", "2", "-k", "3", "--filter", "source=docs")
COMPARE = ("diff", "1", "2", "--level", "results", "--query", "return goods", "--query", "alpha")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("daemon"))


@contextmanager
def daemon(home: Path) -> Iterator[None]:
    """What `kb up` announces, with the routes of the client's tests."""
    found = open_home(home)
    with (
        socket_place(found) as path,
        served(home, client_support.router, path=path) as url,
        announced(found, Endpoint(os.getpid(), str(path), url)),
    ):
        yield


@contextmanager
def impostor(home: Path, reply: bytes) -> Iterator[None]:
    """Answers everybody with the same bytes."""
    found = open_home(home)
    with socket_place(found) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(8)
        thread = threading.Thread(target=answer, args=(listening, reply))
        thread.start()
        try:
            with announced(found, Endpoint(os.getpid(), str(path), "http://none")):
                yield
        finally:
            stop(path)
            thread.join()
            path.unlink()


def answer(listening: socket.socket, reply: bytes) -> None:
    while True:
        connection, _ = listening.accept()
        with connection:
            asked = connection.recv(2**16)
            if asked == b"stop":
                return
            if asked:
                connection.sendall(reply)


def stop(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
        last.connect(str(path))
        last.sendall(b"stop")


def same(found: Any) -> Any:
    return {name: value for name, value in found.items() if name not in ("request_id", "took_ms", "timings")}


def loaded(home: Path, *words: str) -> set[str]:
    """The modules that a command imports."""
    script = "import sys; from indexer.cli import run, root; run(root); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script, "--home", str(home), *words]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split())


@pytest.mark.parametrize("words", [SEARCH, COMPARE])
def test_the_answer_is_the_librarys_and_nothing_heavy_is_imported(home: Path, words: tuple[str, ...]) -> None:
    here, lines = reply(home, *words), said(home, *words)
    with daemon(home):
        there = reply(home, *words)
        assert said(home, *words).splitlines()[1:] == lines.splitlines()[1:]
        assert not loaded(home, *words) & {"sqlalchemy", "numpy", "lancedb", "torch", "httpx"}
    assert same(there) == same(here)
    assert "lancedb" in loaded(home, *words)


@pytest.mark.parametrize(
    "words", [("search", "a", "--as-of", "99"), ("search", "a", "-k", "0"), ("search", "a", "--filter", "sauce=b")]
)
def test_so_is_what_it_refuses(home: Path, words: tuple[str, ...]) -> None:
    here = call("--home", home, *words)
    with daemon(home):
        there = call("--home", home, *words)
    assert there == here
    assert here.code in (2, 3)


OLD = json.dumps({"title": "NotFound", "status": 404, "detail": "Not Found"}).encode()
BUSY = json.dumps({"title": "NotReady", "status": 503, "detail": "the model is being loaded"}).encode()
HEAD = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"nonsense",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9",
        HEAD % (b"404 Not Found", len(OLD), OLD),
        HEAD % (b"503 Service Unavailable", len(BUSY), BUSY),
        HEAD % (b"200 OK", 2, b"{}"),
        HEAD % (b"200 OK", 9, b"{}"),
        HEAD % (b"200 OK", 4, b"\xff\xfe\x00["),
    ],
)
def test_one_that_cannot_answer_is_done_without(home: Path, given: bytes) -> None:
    with impostor(home, given):
        found = reply(home, *SEARCH)
    assert same(found) == same(reply(home, *SEARCH))


def test_one_that_is_gone_is_done_without(home: Path, tmp_path: Path) -> None:
    found = open_home(home)
    with announced(found, Endpoint(1, str(tmp_path / "gone.sock"), "http://none")):
        assert reply(home, *SEARCH)["hits"]


def test_what_only_some_may_see_is_asked_of_the_library(home: Path) -> None:
    """The daemon takes its socket's user for the owner."""
    with impostor(home, b"nobody may ask"):
        assert reply(home, *SEARCH, "--group", "staff")["hits"]


def test_a_home_is_still_refused_as_ever(tmp_path: Path) -> None:
    called = call("--home", tmp_path / "none", "search", "a")
    assert called.code == 3
    assert "no knowledge base at" in called.error
