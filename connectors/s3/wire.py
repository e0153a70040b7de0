"""Asking an S3 server: one GET, its whole answer within a size and a time, and in words what went wrong.

The one door to urllib3, whose own words would tell the signed URL.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse, PoolManager, Timeout, exceptions

_BLOCK = 1 << 20
_REFUSAL_BYTES = 1 << 16
_SLOWEST = 10_000
"""Bytes a second that an answer brings at least, beside the time that it may take in any case."""

_PAUSES_S = (0.2, 0.6)
"""Before a request is made again, while the time for its first answer has not run out."""

_BUSY = frozenset({429, 500, 502, 503, 504})


class NoAnswer(Exception):
    """There was none, or not all of it; its text says why, without secrets."""


class TooLarge(Exception):
    """The answer is longer than was allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Headers by their names in lower case. The content of a refusal may be cut off."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Wire:
    """Keeps connections open until it is closed."""

    def __init__(
        self,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._pause = pause
        # Its own retries would write the signed URL into the log.
        self._pool = PoolManager(timeout=Timeout(connect=timeout_s, read=timeout_s), retries=False)

    def get(self, url: str, limit: int) -> Answer:
        """Raises NoAnswer, and TooLarge for more than `limit` bytes. Redirects are answers."""
        since = self._clock()
        for pause_s in _PAUSES_S:
            try:
                answer = self._ask(url, limit)
                if answer.status not in _BUSY:
                    return answer
            except NoAnswer:
                if self._clock() - since >= self._timeout_s:
                    raise
            self._pause(pause_s)
        return self._ask(url, limit)

    def close(self) -> None:
        self._pool.clear()

    def _ask(self, url: str, limit: int) -> Answer:
        try:
            with closing(self._pool.request("GET", url, preload_content=False, redirect=False)) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, self._read(response, limit))
        except exceptions.HTTPError as error:
            raise NoAnswer(self._words(error)) from error

    def _read(self, response: BaseHTTPResponse, limit: int) -> bytes:
        refused = response.status != 200
        if not refused and (response.length_remaining or 0) > limit:
            raise TooLarge
        content = bytearray()
        for block in self._blocks(response):
            content += block
            if refused and len(content) > _REFUSAL_BYTES:
                break
            if len(content) > limit:
                raise TooLarge
        return bytes(content)

    def _blocks(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        since = self._clock()
        total = 0
        while block := response.read1(_BLOCK):
            yield block
            total += len(block)
            if self._clock() - since > self._timeout_s + total / _SLOWEST:
                raise NoAnswer("the answer came too slowly")

    def _words(self, error: exceptions.HTTPError) -> str:
        match error:
            case exceptions.NameResolutionError():
                return "the server's name cannot be resolved"
            case exceptions.NewConnectionError():
                return "the server cannot be reached"
            case exceptions.TimeoutError():
                return f"the server did not answer within {self._timeout_s} s"
            case exceptions.SSLError():
                return "the server's certificate is not to be trusted, or it does not speak TLS"
            case exceptions.DecodeError():
                return "the answer is not encoded as its Content-Encoding says"
            case _:
                return "the answer broke off, or was no HTTP"
