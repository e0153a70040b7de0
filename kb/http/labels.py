"""What every reply carries: the request's id, and the version that served or else the newest one."""

import re
import uuid
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.base import KnowledgeBase
from kb.errors import KBError
from kb.http.calling import newest

REQUEST_ID: Final = "X-Request-Id"
VERSION: Final = "Kb-Version"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class Labels:
    """The id is the caller's where it is sane, and else a new one; routes find it in `request.state.request_id`.

    Of versions only those are told who are known to be callers, and only what they see: a version's number alone could
    tell that something hidden was published.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault(REQUEST_ID, state["request_id"])
                if VERSION not in headers and "base" in state:
                    await _add_newest(headers, state["base"])
            await send(message)

        await self._app(scope, receive, labelled)


async def _add_newest(headers: MutableHeaders, base: KnowledgeBase) -> None:
    try:
        headers[VERSION] = str(await run_in_threadpool(newest, base))
    except KBError:
        # The reply tells of it already, or has no need of the catalog.
        return


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex
