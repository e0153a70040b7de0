"""Versions: the snapshots, what each changed, what differs between two, and their names."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from kb.answers import Diff, Shown
from kb.comparison import Level
from kb.http.bounded import Bounded
from kb.http.calling import Calling, newest
from kb.http.cursors import Continued, Limit, cursor, position
from kb.http.parameters import From, Name, Ref, To
from kb.http.replies import lasting, reply
from kb.nouns import Snapshot
from kb.search.query import LONGEST_QUERY

router = APIRouter(route_class=Bounded, tags=["versions"])
Queries = Annotated[
    list[Annotated[str, Field(max_length=LONGEST_QUERY)]],
    Query(alias="query", max_length=20, description="For results: queries whose hits are compared."),
]


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Snapshots, newest first, of those that there were at `version`; `next` is None on the last page."""

    version: int
    snapshots: tuple[Snapshot, ...]
    next: str | None


@router.get("/snapshots", response_model=SnapshotPage)
def list_snapshots(caller: Calling, source: Name = None, limit: Limit = 100, cursor: Continued = None) -> Response:
    """The snapshots that are kept, newest first."""
    version, before = _beginning(caller, cursor)
    found = caller.base.log(limit + 1, source=source, before=before)
    return reply(_page(version, tuple(found[:limit]), len(found) > limit), version)


def _beginning(caller: Calling, written: str | None) -> tuple[int, int]:
    if written is None:
        version = newest(caller.base)
        return version, version + 1
    version, (before,) = position("snapshots", written, int)
    # No catalog counts further.
    return version, min(int(before), 2**31 - 1)


def _page(version: int, shown: tuple[Snapshot, ...], more: bool) -> SnapshotPage:
    return SnapshotPage(version, shown, cursor("snapshots", version, shown[-1].version) if more else None)


@router.get("/snapshots/{ref:path}", response_model=Shown)
def show_snapshot(request: Request, caller: Calling, ref: Ref) -> Response:
    """One snapshot: its counts, documents added, changed and removed, pipeline and digests."""
    shown = caller.base.show(ref)
    return lasting(request, shown, shown.snapshot.version, ref)


@router.get("/diff", response_model=Diff)
def diff_versions(
    request: Request,
    caller: Calling,
    before: From,
    after: To = "head",
    level: Level = "documents",
    text: Annotated[bool, Query(description="With unified diffs of the documents' texts.")] = False,
    queries: Queries = [],  # noqa: B006
) -> Response:
    """What differs between two versions, in documents, chunks or the results of queries."""
    found = caller.base.diff(before, after, level=level, text=text, queries=queries)
    return lasting(request, found, found.after, before, after)


@router.get("/tags", response_model=dict[str, int])
def list_tags(caller: Calling) -> Response:
    """The names of versions."""
    return reply(caller.base.tags(), newest(caller.base))
