"""Documents as of a version, their texts, and their histories."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from kb.answers import Document
from kb.http.bounded import Bounded
from kb.http.calling import Calling, newest
from kb.http.cursors import Continued, Limit, cursor, position
from kb.http.parameters import AsOf, DocumentPath, Name
from kb.http.replies import lasting, reply
from kb.nouns import DocumentVersion

router = APIRouter(route_class=Bounded, tags=["documents"])


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents that live at `version`, by source and URI; `next` is None on the last page."""

    version: int
    documents: tuple[DocumentVersion, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Versions of one document, oldest first, up to `version`; `next` is None on the last page."""

    version: int
    versions: tuple[DocumentVersion, ...]
    next: str | None


@router.get("/documents", response_model=DocumentPage)
def list_documents(
    caller: Calling, as_of: AsOf = "head", source: Name = None, limit: Limit = 100, cursor: Continued = None
) -> Response:
    """The documents that live at a version, by source and URI; a cursor goes before `as_of`."""
    version, after = _beginning(caller, as_of, cursor)
    found = caller.base.documents(as_of=version, source=source, after=after, limit=limit + 1)
    return reply(_page(version, tuple(found[:limit]), len(found) > limit), version)


def _beginning(caller: Calling, as_of: str, written: str | None) -> tuple[int, tuple[str, str] | None]:
    if written is None:
        return caller.base.version(as_of), None
    version, (source, uri) = position("documents", written, str, str)
    return version, (str(source), str(uri))


def _page(version: int, shown: tuple[DocumentVersion, ...], more: bool) -> DocumentPage:
    last = cursor("documents", version, shown[-1].source, shown[-1].uri) if more else None
    return DocumentPage(version, shown, last)


# Before the document itself: its path may hold slashes.
@router.get("/documents/{id:path}/history", response_model=HistoryPage)
def document_history(caller: Calling, id: DocumentPath, limit: Limit = 100, cursor: Continued = None) -> Response:
    """All versions of one document that a kept version holds, oldest first."""
    version, after = newest(caller.base), 0
    if cursor is not None:
        version, (since,) = position("versions", cursor, int)
        after = int(since)
    found = [one for one in caller.base.history(id) if after < one.since <= version]
    return reply(_history(version, tuple(found[:limit]), len(found) > limit), version)


def _history(version: int, shown: tuple[DocumentVersion, ...], more: bool) -> HistoryPage:
    return HistoryPage(version, shown, cursor("versions", version, shown[-1].since) if more else None)


@router.get("/documents/{id:path}", response_model=Document)
def read_document(request: Request, caller: Calling, id: DocumentPath, as_of: AsOf = "head") -> Response:
    """A document's text as of a version. One whose URI ends in `/history` is read by its id."""
    found = caller.base.document(id, as_of=as_of)
    return lasting(request, found, found.as_of.version, as_of)
