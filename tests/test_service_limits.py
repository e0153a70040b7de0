"""Whoever sends too much, too slowly, too often or what is no HTTP harms nobody, and is told what was wrong."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli_support import two_sources
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from service_support import client_of, connected, post, replied, serving, spoken, still_answers

from kb.errors import Busy
from kb.http.bounded import Bounded
from kb.http.gate import Gate
from kb.http.limits import Limits
from kb.http.server import Server

MB = 2**20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("limits"))


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home) as found:
        yield found


def chunked(body: bytes) -> bytes:
    parts = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


BAD: dict[str, tuple[bytes, int]] = {
    "NaN": (b'{"query": "a", "k": NaN}', 400),
    "NaN in a filter": (b'{"query": "a", "filters": {"source": NaN}}', 400),
    "Infinity": (b'{"query": "a", "k": -Infinity}', 400),
    "1e999": (b'{"query": "a", "k": 1e999}', 422),
    "a number without end": (b'{"query": "a", "k": ' + b"9" * 10_000 + b"}", 400),
    "no JSON": (b'{"query": "a"', 400),
    "nothing": (b"", 422),
    "invalid UTF-8": (b'{"query": "\xff\xfe"}', 400),
    "half a pair": (b'{"query": "\\ud800"}', 422),
    "half a pair as a key": (b'{"query": "a", "\\ud800": 1}', 422),
    "half a pair in a filter": (b'{"query": "a", "filters": {"\\udfff": "\\ud800"}}', 422),
    "deep": (b'{"query": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "a little too deep": (b'{"query": ' + b"[" * 33 + b"]" * 33 + b"}", 400),
    "deep filters": (b'{"query": "a", "filters": ' + b'{"a":' * 500 + b"1" + b"}" * 501, 400),
    "a version from the future": (b'{"query": "a", "as_of": 99}', 404),
    "a version from far away": (b'{"query": "a", "as_of": 99999999999999999999}', 404),
    "a day that comes": (b'{"query": "a", "as_of": "1999-01-01"}', 404),
    "NUL": (b'{"query": "a", "as_of": "\\u0000"}', 404),
    "2 MB": (b'{"query": "' + b"a" * 2 * MB + b'"}', 413),
    "50 MB": (b'{"query": "' + b"a" * 50 * MB + b'"}', 413),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_a_clear_refusal(server: Server, name: str) -> None:
    body, status = BAD[name]
    for request in (post(body), post(chunked(body), "/v1/search", "Transfer-Encoding: chunked")):
        found, told = spoken(server, request)
        assert (found, told["status"]) == (status, status), told
        assert told["detail"]
    assert still_answers(server)


def test_a_body_is_refused_before_it_is_sent_where_nobody_would_read_it(server: Server) -> None:
    found, told = spoken(server, post(b"", "/v1/search", "Content-Length: 999999999999999"))
    assert (found, told["title"]) == (413, "ContentTooLarge")


def test_a_body_of_another_kind_is_refused(server: Server) -> None:
    with client_of(server) as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            found = client.post("/v1/search", content=b'{"query": "a"}', headers={"Content-Type": kind})
            assert found.status_code == 422
    assert still_answers(server)


@pytest.mark.parametrize(
    "rubbish", [b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02"]
)
def test_what_is_no_http_is_refused(server: Server, rubbish: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)
        told = connection.makefile("rb").read()
        assert told[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404")
        assert b"application/problem+json" in told
    assert still_answers(server)


def test_clients_that_go_away_harm_nobody(server: Server) -> None:
    whole = post(b'{"query": "alpha"}')
    for length in (0, 1, 20, len(whole) - 5, len(whole)):
        for _ in range(5):
            with connected(server) as connection:
                connection.sendall(whole[:length])
                # Closed with a reset, as by a process that was killed.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert still_answers(server)


def test_slow_bodies_are_given_up_and_nobody_waits_for_them(home: Path) -> None:
    limits = Limits(at_once=1, waiting=1, body_s=1.0)
    whole = post(b'{"query": "alpha"}')
    with serving(home, limits) as server:
        slow = [socket.create_connection(server.address, timeout=30) for _ in range(20)]
        for connection in slow:
            connection.sendall(whole[:-5])
        assert still_answers(server)
        assert [replied(connection)[0] for connection in slow] == [408] * 20
        assert [connection.recv(1) for connection in slow] == [b""] * 20
        for connection in slow:
            connection.close()


def test_connections_that_say_nothing_are_given_up(home: Path) -> None:
    with serving(home, Limits(headers_s=0.2)) as server:
        for begun in (b"", b"POST /v1/search HTTP/1.1\r\nHost: a\r\n"):
            with connected(server) as connection:
                connection.sendall(begun)
                assert connection.recv(1) == b""
        with client_of(server) as client:
            assert [client.get("/v1/tags").status_code for _ in range(3)] == [200] * 3


def test_one_who_does_not_read_is_given_up(home: Path) -> None:
    ended, router = threading.Event(), APIRouter()

    async def large() -> AsyncIterator[bytes]:
        try:
            for _ in range(64):
                yield b"x" * MB
        finally:
            ended.set()

    router.add_api_route("/large", lambda: StreamingResponse(large()))
    with serving(home, Limits(headers_s=0.3), (router,)) as server, connected(server) as connection:
        connection.sendall(b"GET /v1/large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert ended.wait(30)
        assert still_answers(server)


def test_one_who_asks_without_end_is_given_up(server: Server) -> None:
    request = b"GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(server) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        send_without_end(connection, request * 1_000)
    assert still_answers(server)


def send_without_end(connection: socket.socket, request: bytes) -> None:
    while True:
        connection.sendall(request)


class Holding:
    """A route whose answer waits until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.router = APIRouter(route_class=Bounded)
        self.router.add_api_route("/hold", self.hold)

    def hold(self) -> Any:
        self.begun.release()
        return {"held": self.let_go.wait(60)}


def test_a_bounded_number_works_and_waits_and_others_are_told_to_come_again(home: Path) -> None:
    holding = Holding()
    with serving(home, Limits(at_once=2, waiting=0), (holding.router,)) as server, client_of(server) as client:
        with ThreadPoolExecutor() as threads:
            held = [threads.submit(httpx.get, f"{server.url}/v1/hold", timeout=60) for _ in range(2)]
            for _ in held:
                assert holding.begun.acquire(timeout=30)
            refused = client.get("/v1/tags")
            live = client.get("/health/live")
            holding.let_go.set()
            assert [one.result().json() for one in held] == [{"held": True}] * 2
        assert (refused.status_code, refused.headers["Retry-After"], refused.json()["title"]) == (503, "2", "Busy")
        assert live.status_code == 200
        assert still_answers(server)


def test_an_answer_that_takes_too_long_is_given_up_and_keeps_its_place_until_it_ends(home: Path) -> None:
    holding = Holding()
    with (
        serving(home, Limits(at_once=1, waiting=5, answer_s=0.3), (holding.router,)) as server,
        client_of(server) as client,
    ):
        assert (client.get("/v1/hold").status_code, client.get("/v1/tags").status_code) == (503, 503)
        holding.let_go.set()
        while client.get("/v1/tags").status_code == 503:
            pass
        assert still_answers(server)


def test_the_gate_lets_in_no_more_than_it_may() -> None:
    async def act() -> tuple[int, int, int]:
        gate, inside, most = Gate(Limits(at_once=3, waiting=4)), 0, 0

        async def work() -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

        found = await asyncio.gather(*(gate.run(work) for _ in range(20)), return_exceptions=True)
        again = await asyncio.gather(*(gate.run(work) for _ in range(7)), return_exceptions=True)
        refused = sum(isinstance(one, Busy) for one in found)
        return refused, sum(one is None for one in again), most

    refused, served, most = asyncio.run(act())
    assert (refused, served, most) == (20 - 7, 7, 3)


def test_the_gate_passes_errors_on_and_is_open_afterwards() -> None:
    async def act() -> str:
        gate = Gate(Limits(at_once=1, waiting=1))

        async def fail() -> None:
            raise KeyError("no")

        async def work() -> str:
            return "done"

        with pytest.raises(KeyError):
            await gate.run(fail)
        return await gate.run(work)

    assert asyncio.run(act()) == "done"
