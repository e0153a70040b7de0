"""One request and its answer: no redirects, no cookies, no proxy, nothing from the environment."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from ssl import SSLContext

import httpcore
import httpx

from connectors.web.body import gathered, too_large, unzipped
from connectors.web.connection import Backend
from connectors.web.urls import shown
from kb.errors import DocumentUnavailable

AGENT = "Palimpsest"
"""The name that robots.txt may address."""

_HEADERS = {
    "User-Agent": f"{AGENT}/{version('palimpsest')}",
    "Accept": "text/html, application/xhtml+xml, */*;q=0.8",
    "Accept-Encoding": "gzip",
}
_WHOLE = 10
"""A whole answer may take so many times what a single step may."""

_DISCARDED_BYTES = 2**16
"""What is read of a body that nobody wants, so that its connection can be used again."""

_BROKEN = (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError)
_FAILED = (*_BROKEN, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is unpacked; it is empty unless the status is 200."""

    status: int
    headers: httpx.Headers
    body: bytes


class Wire:
    """Connects to addresses that `permits` lets pass; keeps connections open between requests until `close`."""

    def __init__(
        self, timeout_s: float, permits: Callable[[str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._backend = Backend(permits, clock)
        self._pool = httpcore.ConnectionPool(
            _trust(), max_connections=8, keepalive_expiry=15, network_backend=self._backend
        )

    def get(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        """Raises DocumentUnavailable, or ExtractionError for a body that is too large."""
        try:
            try:
                return self._once(url, headers, max_bytes)
            except _BROKEN:
                # The server may have closed a kept connection just then: once more, on a new one.
                return self._once(url, headers, max_bytes)
        except httpcore.TimeoutException as error:
            wait = f"{self._timeout_s:g} s, or {self._timeout_s * _WHOLE:g} s as a whole"
            raise DocumentUnavailable(f"{shown(url)} does not answer within {wait}; raise timeout_s") from error
        except _FAILED as error:
            what = str(error).splitlines()
            raise DocumentUnavailable(
                f"{shown(url)} cannot be read: {what[0] if what else type(error).__name__}"
            ) from error

    def close(self) -> None:
        self._pool.close()

    def _once(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        self._backend.deadline = self._clock() + self._timeout_s * _WHOLE
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        sent = {"Host": httpx.URL(url).netloc.decode("ascii"), **_HEADERS, **headers}
        lines = [(name.encode(), value.encode()) for name, value in sent.items()]
        with self._pool.stream("GET", url, headers=lines, extensions={"timeout": limits}) as response:
            found = httpx.Headers(response.headers)
            if response.status != 200:
                _discard(response.iter_stream())
                return Answer(response.status, found, b"")
            return Answer(200, found, _body(response, found, shown(url), max_bytes))


def _body(response: httpcore.Response, headers: httpx.Headers, subject: str, max_bytes: int) -> bytes:
    packing = headers.get("content-encoding", "identity").strip().lower()
    if packing in ("gzip", "x-gzip"):
        return gathered(unzipped(response.iter_stream()), max_bytes, subject)
    if packing not in ("", "identity"):
        raise ValueError(f"it is packed by {packing[:40]!r}, which was not asked for")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large(subject, f"{int(length):,} bytes, more than", max_bytes)
    return gathered(response.iter_stream(), max_bytes, subject)


@cache
def _trust() -> SSLContext:
    """Made once: reading all the certificates takes a while."""
    return httpcore.default_ssl_context()


def _discard(pieces: Iterator[bytes]) -> None:
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > _DISCARDED_BYTES:
            return
