"""The routes that write: sources are registered, changed and synced, documents are pushed, old versions thinned."""

import asyncio
import base64
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from indexer.daemon.daemon import Daemon
from indexer.daemon.orders import report_of
from kb.answers import plain
from kb.errors import UsageError
from kb.http.callers import require
from kb.pushing import Change, Delete, Put
from kb.retention import Policy


class Body(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class NewSource(Body):
    name: str
    kind: str
    options: dict[str, Any] = {}
    """The kind's own options, and the settings that every source has."""


class SourceChange(Body):
    options: dict[str, Any]


class SyncOrder(Body):
    message: str | None = None
    allow_deletes: bool = False


class Document(Body):
    """`text`, or `content` in Base64; neither for a document that is to go."""

    uri: str
    text: str | None = None
    content: str | None = None
    media_type: str | None = None
    metadata: dict[str, str] = {}
    access: tuple[str, ...] | None = None


class Push(Body):
    source: str
    documents: list[Document]
    key: str | None = None
    """Pushed again with this key, nothing changes."""


class Withdrawal(Body):
    source: str
    uris: list[str]
    key: str | None = None


def writing_routes(daemon: Daemon) -> APIRouter:
    """Every reply is what the command of the same name prints with `--json`.

    A source may have the daemon read any file and run any loader that is installed: so only admins say what it follows.
    """
    router = APIRouter(tags=["writing"])
    admins, writers = [Depends(require("admin"))], [Depends(require("writer"))]
    writer = daemon.writer

    @router.post("/sources", status_code=201, dependencies=admins)
    def add_source(body: NewSource) -> Any:
        added = writer.add_source(body.name, body.kind, body.options, base=daemon.writer.home.path.parent)
        return plain(added)

    @router.patch("/sources/{name}", dependencies=admins)
    def change_source(name: str, body: SourceChange) -> Any:
        return plain(writer.change_source(name, body.options, base=daemon.writer.home.path.parent))

    @router.delete("/sources/{name}", dependencies=admins)
    def remove_source(name: str, purge: bool = False) -> Any:
        published = daemon.remove(name, purge)
        return {"removed": name, "version": published.version if published else None}

    @router.post("/sources/{name}/sync", dependencies=writers)
    async def sync(name: str, body: SyncOrder | None = None) -> Any:
        # It may take for ever, and must take no thread meanwhile from the requests of others.
        asked = body or SyncOrder()
        order = await asyncio.to_thread(daemon.order, name, asked.message, asked.allow_deletes)
        looked = {name: await asyncio.wrap_future(order.looked)}
        return plain(await asyncio.to_thread(report_of, daemon.catalog, looked))

    @router.put("/documents", dependencies=writers)
    def push(body: Push) -> Any:
        return plain(writer.push(body.source, map(_put, body.documents), key=body.key))

    @router.delete("/documents", dependencies=writers)
    def withdraw(body: Withdrawal) -> Any:
        changes: list[Change] = [Delete(uri) for uri in body.uris]
        return plain(writer.push(body.source, changes, key=body.key))

    @router.post("/retain", dependencies=admins)
    def retain(policy: Policy) -> Any:
        return plain(daemon.retain(policy))

    return router


def _put(document: Document) -> Put:
    content = document.text.encode("utf-8") if document.text is not None else _decoded(document.content or "")
    return Put(document.uri, content, document.media_type, document.metadata, document.access)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError as error:
        raise UsageError(f"`content` is not Base64: {error}") from error
