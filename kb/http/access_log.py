"""The access log: a line of JSON for every request, once its reply is out. Neither queries nor bodies stand in it."""

import json
import sys
import time
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.clock import format_instant, now
from kb.http.labels import REQUEST_ID, VERSION

_CUT_OFF: Final = 499
"""The status of a request whose client went before any reply, as nginx tells it."""


class AccessLog:
    """On standard error. `caller` is null where nobody was told apart, `version` where none served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        moment, began, replied = now(), time.perf_counter(), dict[str, Any](status=_CUT_OFF, sent=0)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                replied.update(status=message["status"], version=headers.get(VERSION), id=headers.get(REQUEST_ID))
            else:
                replied["sent"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            line = {
                "at": format_instant(moment),
                "client": (scope.get("client") or [None])[0],
                "caller": scope.get("state", {}).get("caller"),
                "method": scope["method"],
                "path": scope["path"],
                "status": replied["status"],
                "bytes": replied["sent"],
                "took_ms": round((time.perf_counter() - began) * 1000, 3),
                "version": replied.get("version"),
                "request_id": replied.get("id"),
            }
            # In one write, so that lines of several processes stay apart.
            sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
            sys.stderr.flush()
