"""Sources, and how fresh each is."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response

from kb.answers import SourceStatus, Status
from kb.errors import NotFound
from kb.http.bounded import Bounded
from kb.http.calling import Calling
from kb.http.cursors import Continued, Limit, cursor, position
from kb.http.parameters import SourcePath
from kb.http.replies import reply
from kb.nouns import Source

router = APIRouter(route_class=Bounded, tags=["sources"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShown(Source):
    """A source's settings, as `kb source show` has them, and how it stands, as `kb status` has it."""

    documents: int
    quarantine: Mapping[str, int]
    skipped: Mapping[str, int]
    last_run: datetime | None
    last_error: str | None
    last_published: datetime | None
    source_revision: str | None
    changed_at: datetime | None
    lag_s: float | None
    stale: bool | None
    failures: int
    circuit: Literal["closed", "open"]
    guarded: bool
    running_since: datetime | None
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Sources by name; `next` is None on the last page."""

    version: int
    sources: tuple[SourceShown, ...]
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
    found = sorted((_shown(one) for one in status.sources if one.source.name > after), key=lambda one: one.name)
    return reply(_page(status.head, tuple(found[:limit]), len(found) > limit), status.head)


def _page(version: int, shown: tuple[SourceShown, ...], more: bool) -> SourcePage:
    return SourcePage(version, shown, cursor("sources", version, shown[-1].name) if more else None)


def _shown(status: SourceStatus) -> SourceShown:
    settings: dict[str, Any] = {field.name: getattr(status.source, field.name) for field in fields(Source)}
    stands = {field.name: getattr(status, field.name) for field in fields(SourceStatus) if field.name != "source"}
    return SourceShown(**settings, **stands)


@router.get("/sources/{name}", response_model=SourceShown)
def show_source(caller: Calling, name: SourcePath) -> Response:
    """One source: its settings, freshness, last run and quarantine."""
    status = caller.base.status()
    for one in status.sources:
        if one.source.name == name:
            return reply(_shown(one), status.head)
    raise NotFound(f"there is no source {name!r}: GET /v1/sources shows them")
