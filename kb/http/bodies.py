"""Bodies are read whole before anybody is troubled with them: within a size, and within a time."""

import asyncio
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.http.limits import Limits
from kb.http.problems import problem

_UNREAD: Final = 64 * 2**20
"""Of a body that is too large as much is read and thrown away: who is still sending does not see a reply."""


class Bodies:
    """Answers 413 to a body that is too large, and 408 to one that does not come."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.larger.get((scope["method"], scope["path"]), self._limits.body_bytes)
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = await _body(Request(scope, receive), most)
        except TimeoutError:
            detail = f"the body did not arrive within {self._limits.body_s:g} seconds"
            refusal = problem(408, "RequestTimeout", detail, closing=True)
        except ClientDisconnect:
            return
        else:
            if body is not None:
                await self._app(scope, _again(body, receive), send)
                return
            refusal = problem(413, "ContentTooLarge", f"the body has more than {most} bytes", closing=True)
        await refusal(scope, receive, send)


async def _body(request: Request, most: int) -> bytes | None:
    """None for one that is too large. Raises ClientDisconnect."""
    if _declared(request) > most + _UNREAD:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most + _UNREAD:
            break
        if size <= most:
            parts.append(part)
    return b"".join(parts) if size <= most else None


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _again(body: bytes, receive: Receive) -> Receive:
    """The body in one message, and then whatever else comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Any:
        return first.pop() if first else await receive()

    return received
