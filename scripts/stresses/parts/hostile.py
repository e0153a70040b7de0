"""Requests as no client sends them: whole ones whose bytes were changed by chance."""

import json
import random
import re
import socket
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_PATIENCE_S: Final = 40.0
"""Longer than a server waits for what does not come."""
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")
_NASTY: Final[Sequence[bytes]] = (
    b"\0",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b"%00",
    b"%ff",
    b"../",
    b"NaN",
    b"1e999",
    b"-1",
    b"99999999999999999999",
    b"\\ud800",
    b"[" * 200,
    b'{"a":' * 100,
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 99\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"If-None-Match: \xc3\x28\r\n",
    b"X-Request-Id: \xf0\x9f\r\n",
    b"A" * 70_000,
)


def requests(token: str) -> Sequence[bytes]:
    """Whole ones, of each kind of route."""
    initialise = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    tool = {"name": "search", "arguments": {"query": "word", "as_of": "head", "k": 3}}
    bodies = {
        "/v1/search": {"query": "word", "as_of": "head", "k": 3, "filters": {"source": ["open"]}, "exact": True},
        "/v1/vector_stores/head/search": {"query": ["word"], "filters": {"type": "eq", "key": "uri", "value": "a"}},
        "/v1/feedback": {"request_id": "0" * 32, "useful": True, "comment": "good"},
        "/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool},
        "/mcp?": {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialise},
    }
    paths = (
        "/v1/documents?as_of=head&limit=3&cursor=WyJkb2N1bWVudHMiLDEsIm9wZW4iLCIxLm1kIl0",
        "/v1/documents/open%3A1.md?as_of=1",
        "/v1/documents/open%3A1.md/history",
        "/v1/snapshots/head~1",
        "/v1/diff?from=1&to=head&level=chunks&query=word&text=true",
        "/v1/sources/open",
        "/v1/requests/00000000000000000000000000000000",
        "/metrics",
    )
    return [_request("POST", path, token, json.dumps(body).encode()) for path, body in bodies.items()] + [
        _request("GET", path, token, b"") for path in paths
    ]


def _request(method: str, path: str, token: str, body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    lines += ["Accept: application/json, text/event-stream"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def changed(request: bytes, chance: random.Random) -> bytes:
    """With a few changes: bytes flipped, cut out, doubled, or something nasty put in."""
    found = bytearray(request)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(found) + 1)
        end = min(len(found), start + chance.randint(1, 12))
        kind = chance.randrange(5)
        if kind == 0:
            found[start:end] = chance.randbytes(end - start)
        elif kind == 1:
            del found[start:end]
        elif kind == 2:
            found[start:start] = found[start:end] * chance.randint(1, 50)
        elif kind == 3:
            del found[start:]
        else:
            found[start:start] = chance.choice(_NASTY)
    return bytes(found)


def sent(url: str, request: bytes) -> tuple[int, bytes]:
    """The status of the first reply, 0 where there is none, and all that came back. Raises OSError."""
    place = urlsplit(url)
    assert place.hostname is not None
    parts = []
    with socket.create_connection((place.hostname, place.port or 80), timeout=_PATIENCE_S) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                parts.append(part)
        except (ConnectionResetError, BrokenPipeError):
            # The server may hang up on such a one.
            pass
    reply = b"".join(parts)
    status = _STATUS.match(reply)
    return int(status[1]) if status else 0, reply
