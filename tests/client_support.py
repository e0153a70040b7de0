"""The routes that a client asks, as its tests need them: the library's answers as the contract's JSON."""

import base64
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from kb.answers import plain

router = APIRouter()


def told(value: Any) -> JSONResponse:
    return JSONResponse(plain(value))


def page(name: str, rows: Sequence[Any], limit: int, cursor: str | None) -> JSONResponse:
    start = int(base64.b64decode(cursor)) if cursor else 0
    end = start + min(limit, 2)
    following = base64.b64encode(str(end).encode()).decode() if end < len(rows) else None
    return JSONResponse({name: plain(rows[start:end]), "next": following})


@router.post("/search")
def search(request: Request, asked: Annotated[dict[str, Any], Body()]) -> JSONResponse:
    return told(request.app.state.base.search(**asked))


@router.get("/snapshots")
def snapshots(request: Request, limit: int, source: str | None = None, cursor: str | None = None) -> JSONResponse:
    return page("snapshots", request.app.state.base.log(None, source=source), limit, cursor)


@router.get("/snapshots/{reference:path}")
def snapshot(request: Request, reference: str) -> JSONResponse:
    return told(request.app.state.base.show(reference))


@router.get("/diff")
def diff(request: Request) -> JSONResponse:
    asked = request.query_params
    found = request.app.state.base.diff(
        asked["from"],
        asked["to"],
        level=asked["level"],
        text=asked.get("text") == "true",
        queries=asked.getlist("query"),
    )
    return told(found)


@router.get("/documents")
def documents(request: Request, as_of: str, limit: int, source: str | None = None, cursor: str | None = None) -> Any:
    return page("documents", request.app.state.base.documents(as_of=as_of, source=source), limit, cursor)


@router.get("/documents/{document:path}/history")
def history(request: Request, document: str, limit: int, cursor: str | None = None) -> JSONResponse:
    return page("versions", request.app.state.base.history(document), limit, cursor)


@router.get("/documents/{document:path}")
def document(request: Request, document: str, as_of: str) -> JSONResponse:
    return told(request.app.state.base.document(document, as_of=as_of))


@router.get("/tags")
def tags(request: Request) -> JSONResponse:
    return told(request.app.state.base.tags())


@router.get("/sources")
def sources(request: Request, limit: int, cursor: str | None = None) -> JSONResponse:
    return page("sources", request.app.state.base.sources(), limit, cursor)


@router.get("/sources/{name:path}")
def source(request: Request, name: str) -> JSONResponse:
    return told(request.app.state.base.source(name))


@router.get("/status")
def status(request: Request) -> JSONResponse:
    return told(request.app.state.base.status())
