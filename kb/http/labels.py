"""What every reply carries: the request's id, and the version that served or else the newest one."""

import re
import uuid
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.base import KnowledgeBase
from kb.errors import KBError

REQUEST_ID: Final = "X-Request-Id"
VERSION: Final = "Kb-Version"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SILENT: Final = (401, 403)
"""Those who may not ask are told nothing."""


class Labels:
    """The id is the caller's where it is sane, and else a new one; routes find it in `request.state.request_id`."""

    def __init__(self, app: ASGIApp, base: KnowledgeBase) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = _request_id(scope)

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault(REQUEST_ID, request_id)
                if scope["path"].startswith("/v1/") and VERSION not in headers and message["status"] not in _SILENT:
                    await self._add_head(headers)
            await send(message)

        await self._app(scope, receive, labelled)

    async def _add_head(self, headers: MutableHeaders) -> None:
        try:
            headers[VERSION] = str(await run_in_threadpool(self._base.head))
        except KBError:
            # The reply tells of it already, or has no need of the catalog.
            return


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex
