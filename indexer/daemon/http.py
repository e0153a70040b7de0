"""The routes that write: sources are registered, changed and synced, documents are pushed, old versions thinned."""

import asyncio
import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from indexer.daemon.daemon import Daemon
from indexer.daemon.orders import report_of
from indexer.outcome import Refusal, SyncReport
from kb.answers import plain
from kb.errors import Forbidden, UsageError
from kb.http.callers import Caller, require
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
    """The kind's own options, and the settings that every source has; those not given stay."""

    options: dict[str, Any] = {}
    every: str | None = None
    cron: str | None = None
    owner: str | None = None
    access: list[str] | str | None = None
    fresh_within: str | None = None
    delete_guard: float | str | None = None
    keep_original: bool | None = None

    @property
    def changes(self) -> dict[str, Any]:
        return {**self.options, **self.model_dump(exclude={"options"}, exclude_unset=True)}


class Retaining(Body):
    """The rules of `kb retain`."""

    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    within: str | None = None
    tagged: bool = False
    dry_run: bool = False


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


Writing = Annotated[Caller, Depends(require("writer"))]


def writing_routes(daemon: Daemon) -> APIRouter:
    """Every reply is what the command of the same name prints with `--json`.

    A source may have the daemon read any file and run any loader that is installed: so only admins say what it follows.
    """
    router = APIRouter(tags=["writing"])
    admins = [Depends(require("admin"))]
    writer = daemon.writer

    @router.post("/sources", status_code=201, dependencies=admins)
    def add_source(body: NewSource) -> Any:
        added = writer.add_source(body.name, body.kind, body.options, base=daemon.writer.home.path.parent)
        return plain(added)

    @router.patch("/sources/{name}", dependencies=admins)
    def change_source(name: str, body: SourceChange) -> Any:
        return plain(writer.change_source(name, body.changes, base=daemon.writer.home.path.parent))

    @router.delete("/sources/{name}", dependencies=admins)
    def remove_source(name: str, purge: bool = False) -> Any:
        published = daemon.remove(name, purge)
        return {"removed": name, "version": published.version if published else None}

    @router.post("/sources/{name}/sync")
    async def sync(name: str, caller: Writing, body: SyncOrder | None = None) -> Any:
        # It may take for ever, and must take no thread meanwhile from the requests of others.
        await asyncio.to_thread(caller.base.source, name)
        asked = body or SyncOrder()
        order = await asyncio.to_thread(daemon.order, name, asked.message, asked.allow_deletes)
        looked = {name: await asyncio.wrap_future(order.looked)}
        report = await asyncio.to_thread(report_of, daemon.catalog, looked)
        return plain(report if caller.groups is None else _untold(report))

    @router.put("/documents")
    def push(body: Push, caller: Writing) -> Any:
        caller.base.source(body.source)
        receipt = writer.push(body.source, map(_put, body.documents), key=body.key)
        # Whether a document was there, or was the same, tells of one that the caller may not see.
        return plain(receipt) if caller.groups is None else {"documents": [one.uri for one in receipt.documents]}

    @router.delete("/documents")
    def withdraw(body: Withdrawal, caller: Writing) -> Any:
        if caller.groups is not None:
            raise Forbidden("only one who may see all documents can take documents back: ask with an admin's key")
        changes: list[Change] = [Delete(uri) for uri in body.uris]
        return plain(writer.push(body.source, changes, key=body.key))

    @router.post("/retain", dependencies=admins)
    def retain(body: Retaining) -> Any:
        policy = Policy(**body.model_dump(exclude={"dry_run"}))
        return plain(writer.retain(policy, dry_run=True) if body.dry_run else daemon.retain(policy))

    return router


def _untold(report: SyncReport) -> SyncReport:
    """For one who may not see everything: only whether the source could be read."""
    refused = tuple(Refusal(one.source, "it could not be synced: an admin sees why") for one in report.refused)
    return SyncReport((), (), refused, {}, 0)


def _put(document: Document) -> Put:
    content = document.text.encode("utf-8") if document.text is not None else _decoded(document.content or "")
    return Put(document.uri, content, document.media_type, document.metadata, document.access)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError as error:
        raise UsageError(f"`content` is not Base64: {error}") from error
