"""A server that fails, answers nonsense or is not there: tried again where that may help, and told in one line."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import kb
from kb.client.remote import RemoteBase
from kb.client.remote_async import AsyncRemoteBase
from kb.client.retries import Retries
from kb.errors import KBError, NotFound, SourceUnavailable, Unreachable, UsageError

RETRIES = Retries(times=2, first_s=0.5, chance=lambda: 0.0)
TAGS = (200, {}, b'{"first": 1}')
BUSY = (503, {"Retry-After": "3"}, json.dumps({"title": "SourceUnavailable", "detail": "ask again"}).encode())
CUT = (0, {}, b"")
"""The connection is closed instead of a reply."""
Reply = tuple[int, dict[str, str], bytes]


class Scripted(ThreadingHTTPServer):
    """Gives the replies in turn, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, replies: Sequence[Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.replies = list(replies)
        self.asked: list[tuple[str, str | None]] = []


class Answering(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, headers, content = self.server.replies.pop(0)
        if status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def scripted(*replies: Reply) -> Iterator[Scripted]:
    with Scripted(replies) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(params=["sync", "async"])
def tags(request: pytest.FixtureRequest) -> Any:
    """Asks a server for its tags; the pauses that it would have made are listed, not made."""

    def ask(server: Scripted, pauses: list[float]) -> dict[str, int]:
        url = f"http://127.0.0.1:{server.server_port}"
        if request.param == "sync":
            with RemoteBase(httpx.Client(base_url=url), RETRIES, pauses.append) as base:
                return base.tags()
        return asyncio.run(ask_async(url, pauses))

    async def ask_async(url: str, pauses: list[float]) -> dict[str, int]:
        async def pause(pause_s: float) -> None:
            pauses.append(pause_s)

        async with AsyncRemoteBase(httpx.AsyncClient(base_url=url), RETRIES, pause) as base:
            return await base.tags()

    return ask


@pytest.mark.parametrize(
    ("replies", "paused"),
    [
        ([TAGS], []),
        ([BUSY, TAGS], [3.0]),
        ([(429, {}, b""), TAGS], [0.5]),
        ([CUT, CUT, TAGS], [0.5, 1.0]),
        ([CUT, BUSY, TAGS], [0.5, 3.0]),
    ],
)
def test_what_may_pass_is_tried_again(tags: Any, replies: list[Reply], paused: list[float]) -> None:
    pauses: list[float] = []
    with scripted(*replies) as server:
        assert tags(server, pauses) == {"first": 1}
    assert pauses == paused
    assert server.replies == []


NEVER = {"Retry-After": "86400"}
MISSING = json.dumps({"title": "NotFound", "detail": "there is no version 7"}).encode()
EXTRACTION = json.dumps({"title": "ExtractionError", "detail": "x"}).encode()
NONSENSE = "not a knowledge base's|not as a knowledge base does"


@pytest.mark.parametrize(
    ("replies", "kind", "words"),
    [
        ([BUSY, BUSY, BUSY], SourceUnavailable, "ask again"),
        ([(503, NEVER, BUSY[2])], SourceUnavailable, "ask again"),
        ([CUT, CUT, CUT], Unreachable, "does not answer"),
        ([(404, {}, MISSING)], NotFound, "there is no version 7"),
        ([(418, {}, EXTRACTION)], KBError, "418 ExtractionError: x"),
        ([(404, {}, b"<html>")], Unreachable, NONSENSE),
        ([(500, {}, b'["title"]')], Unreachable, NONSENSE),
        ([(302, {"Location": "http://127.0.0.1:1/"}, b"")], Unreachable, NONSENSE),
        ([(200, {}, b"<html>")], Unreachable, NONSENSE),
        ([(200, {}, b"\xff\xfe")], Unreachable, NONSENSE),
        ([(200, {}, b'{"first": "one"}')], Unreachable, NONSENSE),
        ([(200, {}, b"[" * 100_000)], Unreachable, NONSENSE),
        ([(200, {"Content-Encoding": "gzip"}, b"no gzip")], Unreachable, "does not answer"),
        ([(200, {"Content-Length": "nine"}, b"{}")] * 3, Unreachable, "does not answer"),
    ],
)
def test_the_rest_is_told(tags: Any, replies: list[Reply], kind: type[KBError], words: str) -> None:
    with scripted(*replies) as server, pytest.raises(KBError, match=words) as raised:
        tags(server, [])
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    assert server.replies == []


@pytest.mark.parametrize("page", [b"[]", b"{}", b'{"a": [], "b": []}', b'{"a": [], "next": 3}', b'{"a": [{}]}'])
def test_a_list_that_is_none_of_ours_is_told(page: bytes) -> None:
    with scripted((200, {}, page)) as server:
        base = kb.connect(f"http://127.0.0.1:{server.server_port}")
        with base, pytest.raises(Unreachable, match=NONSENSE):
            base.log()


def test_the_token_is_sent() -> None:
    with scripted(TAGS) as server, kb.connect(f"http://127.0.0.1:{server.server_port}/", "secret") as base:
        assert base.tags() == {"first": 1}
    assert server.asked == [("/v1/tags", "Bearer secret")]


def test_a_reply_that_takes_too_long_is_not_asked_for_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with kb.connect(url, timeout_s=0.05) as base, pytest.raises(Unreachable, match="does not answer"):
            base.tags()


def test_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    base = kb.connect(f"http://127.0.0.1:{port}", retries=Retries(times=0))
    with base, pytest.raises(Unreachable, match=f"127.0.0.1:{port} does not answer"):
        base.search("a")


@pytest.mark.parametrize(
    "url", ["", "localhost:8710", "ftp://host", "http://", "/v1", "http://a\x00b", "http://me:key@host"]
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError, match=r"is not (a|the) URL|belongs into `token`"):
        kb.connect(url)
    with pytest.raises(UsageError):
        kb.connect_async(url)


@pytest.mark.parametrize("token", ["", "a\nb", " a", "ä", "a\x00"])
def test_what_is_no_token_is_refused_and_not_told(token: str) -> None:
    with pytest.raises(UsageError, match="that is no token: a token is printable ASCII"):
        kb.connect("http://127.0.0.1:1", token)


def test_pages_come_to_an_end() -> None:
    with scripted((200, {}, b'{"snapshots": [], "next": "again"}')) as server:
        base = kb.connect(f"http://127.0.0.1:{server.server_port}")
        with base:
            assert base.log(None) == []
