"""Searching as of a version."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Request, Response
from pydantic import ConfigDict, Field, StrictBool, StrictInt

from kb.answers import Answer
from kb.errors import UsageError
from kb.http.bounded import Bounded
from kb.http.calling import Calling
from kb.http.examples import ANSWER, SEARCHES
from kb.http.labels import REQUEST_ID
from kb.http.replies import reply
from kb.metrics import observe
from kb.nouns import Mode
from kb.search.query import LONGEST_QUERY, MOST_HITS

router = APIRouter(route_class=Bounded)
Reference = Annotated[str, Field(max_length=1_000)] | StrictInt
Value = Annotated[str, Field(max_length=LONGEST_QUERY)]
Values = Value | Annotated[list[Value], Field(min_length=1, max_length=1_000)]
Count = Annotated[StrictInt, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for. What is left out is as the knowledge base has it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]
    as_of: Reference = "head"
    """The version that is to answer."""
    k: Annotated[StrictInt, Field(ge=1, le=MOST_HITS)] = 10
    mode: Mode = "hybrid"
    exact: StrictBool = False
    """Score every live chunk: the reference for the quick path."""
    filters: Mapping[Value, Values] = Field(default_factory=dict)
    """By source, uri, media_type or section (globs), modified_after, modified_before, or metadata."""
    budget_tokens: Count | None = None
    """The best passages that fit."""
    expand: Literal["section"] | None = None
    """With the section around each passage."""
    per_document: Count | None = None
    """So many hits of one document at most."""
    rerank: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """A model's directory on the server, which puts the best hits in order once more; for admins."""


_GIVEN: Final = ("budget_tokens", "expand", "per_document", "rerank")
assert {*_GIVEN} < {field.name for field in fields(Asked)}


@router.post("/search", tags=["search"], response_model=Answer, responses={200: ANSWER})
def search(request: Request, caller: Calling, asked: Annotated[Asked, Body(openapi_examples=SEARCHES)]) -> Response:
    """The best passages as of a version, each with its provenance."""
    if asked.rerank is not None and caller.role != "admin":
        raise UsageError("`rerank` names a directory of the server, from which a model is loaded: ask an admin for it")
    given: dict[str, Any] = {name: value for name in _GIVEN if (value := getattr(asked, name)) is not None}
    answer = caller.base.search(
        asked.query,
        as_of=asked.as_of,
        k=asked.k,
        mode=asked.mode,
        exact=asked.exact,
        filters=asked.filters,
        **given,
    )
    observe(answer)
    found = reply(answer, answer.as_of.version)
    if REQUEST_ID not in request.headers:
        # Who named no id is told the one that the answer bears.
        found.headers[REQUEST_ID] = answer.request_id
    return found
