"""Routes of the request log: what was asked, the same asked again, and what was said of it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from kb.answers import plain
from kb.http.callers import Caller, caller_of
from kb.requests import Feedback, LoggedRequest, Replay

router = APIRouter()
Asking = Annotated[Caller, Depends(caller_of)]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer was of use, and which passage would have been right: a chunk's id, or any words for it."""

    request_id: str
    useful: bool
    passage: str | None = None
    comment: str | None = None


@router.get("/requests/{request_id}", response_model=LoggedRequest)
def get_request(request_id: str, caller: Asking) -> Any:
    """A search as it was answered: one's own, or to auditors any."""
    return JSONResponse(plain(caller.base.request(request_id)))


@router.post("/requests/{request_id}/replay", response_model=Replay)
def replay_request(request_id: str, caller: Asking, as_of: Annotated[str | None, Query()] = None) -> Any:
    """The search asked again: at its version, or as of another to see what changed since."""
    return JSONResponse(plain(caller.base.replay(request_id, as_of=as_of)))


@router.post("/feedback", response_model=Feedback, status_code=201)
def give_feedback(said: Judgement, caller: Asking) -> Any:
    """Kept for evaluation, with the request that it is about."""
    given = caller.base.feedback(said.request_id, useful=said.useful, passage=said.passage, comment=said.comment)
    return JSONResponse(plain(given), 201)


@router.get("/feedback", response_model=list[Feedback])
def list_feedback(caller: Asking) -> Any:
    """One's own, or to auditors all."""
    return JSONResponse(plain(caller.base.feedbacks()))
