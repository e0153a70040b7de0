"""What routes ask of the caller's knowledge base, and how the rest of the application learns whose request it is."""

from typing import Annotated

from fastapi import Depends, Request

from kb.base import KnowledgeBase
from kb.http.callers import Caller, caller_of


async def _known(request: Request, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    request.state.base, request.state.caller = caller.base, caller.name
    return caller


Calling = Annotated[Caller, Depends(_known)]
"""The caller of a route; from then on replies may tell of versions that they may see."""


def newest(base: KnowledgeBase) -> int:
    """The newest version that is seen, 0 before the first."""
    found = base.log(1)
    return found[0].version if found else 0
