"""Searching in the shape of OpenAI's vector stores, for programs that speak it already.

A vector store's id is a source's name (that source alone, at the head), or else any reference to a version (`head`,
`42`, a tag, a date: everything, as of that version).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Response
from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt

from kb.answers import Answer, Served
from kb.errors import NotFound, UsageError
from kb.http.attributes import Comparison, Compound, filters_of
from kb.http.bounded import Bounded
from kb.http.calling import Calling
from kb.http.examples import VECTOR_SEARCHES
from kb.http.replies import reply
from kb.metrics import observe
from kb.nouns import Hit
from kb.search.query import LONGEST_QUERY

router = APIRouter(route_class=Bounded, tags=["search"])
StoreId = Annotated[
    str, Path(description="A source's name, or a reference to a version.", max_length=1_000, examples=["head"])
]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]


@dataclass(frozen=True, slots=True)
class RankingOptions:
    """`ranker` is taken and ignored."""

    ranker: Annotated[str, Field(max_length=100)] | None = None
    score_threshold: Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)] | None = None


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """`rewrite_query` is taken and ignored: no query is rewritten."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    query: Text | Annotated[list[Text], Field(min_length=1, max_length=8)]
    filters: Comparison | Compound | None = None
    max_num_results: Annotated[StrictInt, Field(ge=1, le=50)] = 10
    ranking_options: RankingOptions | None = None
    rewrite_query: StrictBool | None = None


@dataclass(frozen=True, slots=True)
class Content:
    type: Literal["text"]
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A hit. `file_id` is the document's id, `filename` its URI; the attributes tell the rest of its provenance."""

    file_id: str
    filename: str
    score: float
    attributes: Mapping[str, str | int]
    content: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Results, best first, and the version that served."""

    object: Literal["vector_store.search_results.page"]
    search_query: tuple[str, ...]
    data: tuple[Result, ...]
    has_more: bool
    next_page: str | None
    as_of: Served


@router.post("/vector_stores/{id:path}/search", response_model=ResultPage)
def search_vector_store(
    caller: Calling, id: StoreId, asked: Annotated[VectorSearch, Body(openapi_examples=VECTOR_SEARCHES)]
) -> Response:
    """The best passages; a hit of several queries counts once, by its best score."""
    as_of, filters = _store(caller, id, filters_of(asked.filters))
    queries = (asked.query,) if isinstance(asked.query, str) else tuple(asked.query)
    answers: list[Answer] = []
    for query in queries:
        answers.append(caller.base.search(query, as_of=as_of, k=asked.max_num_results, filters=filters))
        observe(answers[-1])
        # What is published meanwhile is not for the queries that are left.
        as_of = answers[0].as_of.version
    threshold = (asked.ranking_options or RankingOptions()).score_threshold or 0
    best = [hit for hit in _best(answers) if hit.score >= threshold][: asked.max_num_results]
    served = answers[0].as_of
    data = tuple(map(_result, best))
    return reply(ResultPage("vector_store.search_results.page", queries, data, False, None, served), served.version)


def _store(
    caller: Calling, id: str, filters: Mapping[str, Sequence[str]]
) -> tuple[str | int, Mapping[str, Sequence[str]]]:
    """The version and the filters that the id means."""
    try:
        caller.base.source(id)
    except NotFound:
        return id, filters
    if "source" in filters:
        raise UsageError(f"{id!r} is one source: search in `head` to choose among sources")
    return "head", {**filters, "source": [id]}


def _best(answers: Sequence[Answer]) -> list[Hit]:
    """All hits, the best of each chunk, by score and then by id."""
    found: dict[str, Hit] = {}
    for hit in (hit for answer in answers for hit in answer.hits):
        if hit.chunk_id not in found or found[hit.chunk_id].score < hit.score:
            found[hit.chunk_id] = hit
    return sorted(found.values(), key=lambda hit: (-hit.score, hit.chunk_id))


def _result(hit: Hit) -> Result:
    place = hit.provenance
    attributes: dict[str, str | int | None] = {
        "source": place.source,
        "uri": place.uri,
        "title": place.title,
        "section": " > ".join(place.section) or None,
        "page": place.page,
        "start": place.start,
        "end": place.end,
        "source_revision": place.source_revision,
        "content_sha256": place.content_sha256,
        "version": place.version,
        "chunk_id": hit.chunk_id,
    }
    known = {key: value for key, value in attributes.items() if value is not None}
    return Result(hit.document_id, place.uri, hit.score, known, (Content("text", hit.text),))
