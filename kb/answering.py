"""Answering a query: its hits as of a version, what each step took, and whether what is known was fresh."""

import uuid
from collections.abc import Callable

from kb.answers import Answer, Coverage, Served
from kb.catalog import Catalog, Connection
from kb.clock import now
from kb.coverage import coverage
from kb.nouns import Hit, Snapshot
from kb.reference import resolve_snapshot
from kb.search.query import Query
from kb.stopwatch import Stopwatch
from kb.undisturbed import undisturbed

Find = Callable[[Connection, Snapshot, Query, Stopwatch], tuple[Hit, ...]]
"""A snapshot's hits."""


def answer(
    catalog: Catalog, reference: str | int, query: Query, find: Find, serve: Callable[[str | int, Snapshot], Served]
) -> Answer:
    """`serve` tells of the snapshot what its caller may know. Raises UsageError, NotFound, Expired or EmbedderError."""
    watch = Stopwatch()

    def look(connection: Connection) -> tuple[Snapshot, tuple[Hit, ...], Coverage]:
        snapshot = resolve_snapshot(connection, reference, query.keys)
        covered = coverage(connection, now(), query.keys, query.filters.get("source", ()))
        watch.lap("resolve")
        return snapshot, find(connection, snapshot, query, watch), covered

    snapshot, hits, covered = undisturbed(catalog, look)
    return Answer(
        query=query.text,
        request_id=uuid.uuid4().hex,
        mode=query.mode,
        exact=query.exact,
        took_ms=watch.total_ms,
        as_of=serve(reference, snapshot),
        hits=hits,
        timings=watch.laps,
        coverage=covered,
    )
