"""Whether the process lives, whether it can answer, and how its knowledge base stands in numbers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from kb.http.callers import Caller, require
from kb.http.problems import problem
from kb.metrics import CONTENT_TYPE, exposition

router = APIRouter()


@router.get("/health/live")
async def live() -> JSONResponse:
    # It takes no thread: also when all are busy, the process lives.
    return JSONResponse({"status": "alive"})


@router.get("/health/ready")
def ready(request: Request) -> Response:
    """503 with the reason until the model is loaded and every source was taken up."""
    waiting = request.app.state.ready()
    if waiting is not None:
        return problem(503, "NotReady", waiting, retry=True)
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
def metrics(caller: Annotated[Caller, Depends(require("auditor"))]) -> Response:
    """For Prometheus; numbers are of all that there is."""
    return PlainTextResponse(exposition(caller.base), media_type=CONTENT_TYPE)
