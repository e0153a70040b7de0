"""Routes that work in turn, and read no JSON but what the standard calls so."""

import json
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, NoReturn

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from kb.http.gate import Gate


class Bounded(APIRoute):
    """A route behind the application's gate: `APIRouter(route_class=Bounded)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            return await gate.run(partial(answer, _StrictRequest(request.scope, request.receive)))

        return bounded


class _StrictRequest(Request):
    async def json(self) -> Any:
        return parsed(await self.body(), self.app.state.limits.depth)


def parsed(body: bytes, depth: int) -> Any:
    """Raises HTTPException 400 for what is no JSON: NaN, invalid UTF-8; and for what is nested deeper."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error
    if not _within(value, depth):
        raise HTTPException(400, f"the body is nested deeper than {depth} levels")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _within(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return True
    return not level


def _parts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
