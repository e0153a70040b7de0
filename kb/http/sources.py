"""Sources, and how fresh each is."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from kb.answers import SourceStatus, Status
from kb.errors import NotFound
from kb.http.bounded import Bounded
from kb.http.callers import Calling
from kb.http.cursors import Continued, Limit, cursor, position
from kb.http.parameters import SourcePath
from kb.http.replies import reply

router = APIRouter(route_class=Bounded, tags=["sources"])


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Sources by name, and how each stands; `next` is None on the last page."""

    version: int
    sources: tuple[SourceStatus, ...]
    next: str | None


@router.get("/status", response_model=Status)
def read_status(caller: Calling) -> Response:
    """How the knowledge base stands: its sizes, its sources and their freshness."""
    found = caller.base.status()
    return reply(found, found.head)


@router.get("/sources", response_model=SourcePage)
def list_sources(caller: Calling, limit: Limit = 100, cursor: Continued = None) -> Response:
    """All sources, by name, and how each stands."""
    status, after = caller.base.status(), ""
    if cursor is not None:
        after = str(position("sources", cursor, str)[1][0])
    found = sorted((one for one in status.sources if one.source.name > after), key=lambda one: one.source.name)
    return reply(_page(status.head, tuple(found[:limit]), len(found) > limit), status.head)


def _page(version: int, shown: tuple[SourceStatus, ...], more: bool) -> SourcePage:
    return SourcePage(version, shown, cursor("sources", version, shown[-1].source.name) if more else None)


@router.get("/sources/{name}", response_model=SourceStatus)
def show_source(caller: Calling, name: SourcePath) -> Response:
    """One source: its settings, freshness, last run and quarantine."""
    status = caller.base.status()
    for one in status.sources:
        if one.source.name == name:
            return reply(one, status.head)
    raise NotFound(f"there is no source {name!r}: GET /v1/sources shows them")
