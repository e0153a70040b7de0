"""`kb serve` as a process: it says where it listens, is ready once it can answer, and ends as it is told to."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cli_support import two_sources
from crash_support import KB, call
from service_support import post, replied

import kb
from kb.http.warming import Warming


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("serve"))


@contextmanager
def served(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its URL once it listens."""
    command = [KB, "--home", home, "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(3)]
            yield process, json.loads("".join(lines))["url"]
        finally:
            process.kill()


def wait_until_ready(url: str) -> None:
    while (found := httpx.get(f"{url}/health/ready")).status_code == 503:
        assert (found.json()["title"], found.headers["Retry-After"]) == ("NotReady", "2")
    assert found.json() == {"status": "ready"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_answers_what_is_under_way(home: Path, number: signal.Signals) -> None:
    request = post(b'{"query": "alpha"}')
    with served(home) as (process, url):
        wait_until_ready(url)
        at = httpx.URL(url)
        with socket.create_connection((at.host, at.port), timeout=30) as connection:
            # The server has seen the beginning of a request once it has answered the one before it.
            connection.sendall(request + request[:-5])
            assert replied(connection)[0] == 200
            process.send_signal(number)
            while not refused(at):
                pass
            connection.sendall(request[-5:])
            assert replied(connection)[0] == 200
        _, told = process.communicate(timeout=30)
        assert (process.returncode, told) == (0, f"kb: listening on {url}\n")


def refused(at: httpx.URL) -> bool:
    try:
        socket.create_connection((at.host, at.port or 80)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_many_serve_one_home_while_a_writer_works(home: Path) -> None:
    from indexer.lock import writer_lock

    with writer_lock(home / "writer.lock"), served(home) as (_, first), served(home) as (_, second):
        for url in (first, second):
            wait_until_ready(url)
            assert httpx.post(f"{url}/v1/search", json={"query": "alpha"}, timeout=30).status_code == 200
            assert httpx.post(f"{url}/v1/sources", json={}).status_code == 405


def test_a_port_that_is_taken_is_one_clear_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        called = call("--home", home, "serve", "--port", str(port))
    assert (called.code, called.out) == (2, b"")
    assert called.error == (
        f"kb: cannot listen on 127.0.0.1:{port}: Address already in use; name another with --host and --port\n"
    )


def test_an_address_that_is_not_this_machine_s_is_one_clear_line(home: Path) -> None:
    called = call("--home", home, "serve", "--host", "203.0.113.7")
    assert (called.code, called.error.count("\n")) == (2, 1)
    assert "cannot listen on 203.0.113.7:8710" in called.error


def test_no_home_is_told_before_it_listens(tmp_path: Path) -> None:
    assert call("--home", tmp_path / "nothing", "serve").code == 3


def test_a_model_that_cannot_be_loaded_ends_it() -> None:
    told: list[str] = []

    def fail() -> None:
        raise kb.KBError("the weights are gone")

    warming = Warming(fail, lambda: told.append("given up"))
    assert warming() == "the model is being loaded"
    warming.start()
    warming.join()
    assert (warming(), told) == ("the weights are gone", ["given up"])
