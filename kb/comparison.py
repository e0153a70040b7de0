"""Comparing two versions at one level: documents, chunks, or the results of queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kb import diff, sight
from kb.access import Keys
from kb.answers import Diff, ResultChange
from kb.catalog import Connection
from kb.errors import UsageError
from kb.reference import resolve_snapshot

if TYPE_CHECKING:
    from kb.store import Store

Level = Literal["documents", "chunks", "results"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked of two versions. Raises UsageError where it makes no sense."""

    level: Level
    text: bool
    queries: Sequence[str]

    def __post_init__(self) -> None:
        if self.level == "results" and not self.queries:
            raise UsageError("a diff of results needs at least one query: add --query")
        if self.level != "results" and self.queries:
            raise UsageError("--query compares results: add --level results")


def compare(
    connection: Connection,
    ends: tuple[int, int],
    asked: Comparison,
    keys: Keys,
    store: "Callable[[], Store]",
    find: Callable[..., Any],
) -> Diff:
    """`find` gives the hits of a query at a snapshot."""
    if asked.level == "results":
        return _results(connection, ends, asked.queries, keys, find)
    changes = sight.changes(connection, *ends, keys)
    wanted = changes and (asked.text or asked.level == "chunks")
    layouts = store().texts.get(diff.layouts_of(changes)) if wanted else {}
    if asked.level == "chunks":
        return Diff(*ends, chunks=diff.chunk_changes(changes, layouts))
    return Diff(*ends, documents=diff.with_text(changes, layouts) if asked.text else changes)


def _results(
    connection: Connection, ends: tuple[int, int], queries: Sequence[str], keys: Keys, find: Callable[..., Any]
) -> Diff:
    from kb.search.query import Query

    changes: list[ResultChange] = []
    for query in queries:
        asked = Query(query, keys=keys)
        found = [find(resolve_snapshot(connection, end), asked) for end in ends]
        changes += diff.result_changes(query, *found)
    return Diff(*ends, results=tuple(changes))
