"""The route at which agents find their tools, as their caller may see them."""

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.types import Receive, Scope, Send

from kb.base import KnowledgeBase
from kb.http.callers import Caller, caller_of

if TYPE_CHECKING:
    from kb.tools.http import App

router = APIRouter()
_BASE = "kb.base"


class _Handed(Response):
    """Leaves the reply to the tools' own application."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await asyncio.to_thread(_app)
        await app({**scope, _BASE: self._caller.base}, receive, send)


@router.post("/mcp", include_in_schema=False)
async def mcp(caller: Annotated[Caller, Depends(caller_of)]) -> Response:
    return _Handed(caller)


@cache
def _app() -> "App":
    # Its SDK takes a second to import: whoever has no agents need not wait for it.
    from kb.tools.http import make_app

    return make_app(_base_of)


def _base_of(request: Request) -> KnowledgeBase:
    found: KnowledgeBase = request.scope[_BASE]
    return found
