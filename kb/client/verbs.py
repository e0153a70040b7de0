"""The verbs of `KnowledgeBase` that read, as requests to the routes under /v1."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kb.answers import Answer, Diff, Document, Shown, Status
from kb.client.call import Call, Pages, body, listed, segment, target
from kb.digest import document_id
from kb.nouns import DocumentVersion, Snapshot, Source

_USUAL: Final[Mapping[str, Any]] = {
    "as_of": "head",
    "k": 10,
    "mode": "hybrid",
    "exact": False,
    "filters": None,
    "groups": None,
    "budget_tokens": None,
    "expand": None,
    "per_document": None,
    "rerank": None,
}


def search(query: str, filters: Mapping[str, str | Sequence[str]] | None, **settings: Any) -> Call[Answer]:
    found = {name: listed(values) for name, values in filters.items()} if filters else None
    return Call("/v1/search", Answer, body({"query": query, "filters": found, **settings}, _USUAL))


def log(limit: int | None, source: str | None) -> Pages[Snapshot]:
    return Pages("/v1/snapshots", (("source", source),), Snapshot, limit)


def show(reference: str | int) -> Call[Shown]:
    return Call(f"/v1/snapshots/{segment(reference)}", Shown)


def diff(ends: tuple[str | int, str | int], level: str, text: bool, queries: Sequence[str]) -> Call[Diff]:
    words = (("from", ends[0]), ("to", ends[1]), ("level", level), ("text", text or None))
    return Call(target("/v1/diff", *words, *(("query", query) for query in queries)), Diff)


def documents(as_of: str | int, source: str | None) -> Pages[DocumentVersion]:
    return Pages("/v1/documents", (("as_of", as_of), ("source", source)), DocumentVersion)


def history(document: str) -> Pages[DocumentVersion]:
    return Pages(f"/v1/documents/{segment(document)}/history", (), DocumentVersion)


def document(document: str, as_of: str | int) -> Call[Document]:
    return Call(target(f"/v1/documents/{_identity(document)}", ("as_of", as_of)), Document)


def tags() -> Call[dict[str, int]]:
    return Call("/v1/tags", dict[str, int])


def sources() -> Pages[Source]:
    return Pages("/v1/sources", (), Source)


def source(name: str) -> Call[Source]:
    return Call(f"/v1/sources/{segment(name)}", Source)


def status() -> Call[Status]:
    return Call("/v1/status", Status)


def _identity(document: str) -> str:
    """As it is named; but one whose URI ends as the route to histories does by its id."""
    source, colon, uri = document.partition(":")
    if not colon or not uri.endswith("/history"):
        return segment(document)
    return document_id(source, uri)
