"""A knowledge base as its readers use it: every verb takes a reference to the version that is to answer."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from kb import diff, status
from kb.answers import Answer, Diff, Document, DocumentChange, ResultChange, Served, Shown, Status, Verification
from kb.catalog import Catalog, Connection, documents, names, scan, snapshots, sources
from kb.clock import now
from kb.embedding.models import LoadModel, Models
from kb.errors import Corrupt, NotFound, UsageError
from kb.home import Home
from kb.nouns import DocumentVersion, Mode, Snapshot, Source
from kb.pipeline import Pipeline
from kb.reference import check_tag, resolve, resolve_document, resolve_snapshot
from kb.retention import Policy
from kb.telemetry import retrieval
from kb.undisturbed import undisturbed
from kb.writing import Writer, writer

if TYPE_CHECKING:
    from kb.search.query import Query
    from kb.store import Store

Level = Literal["documents", "chunks", "results"]


class KnowledgeBase:
    """Reads a home's catalog and store. Any number may be open, in any number of processes, while one writer works."""

    def __init__(self, home: Home, load_model: LoadModel | None = None) -> None:
        """`load_model` finds an embedder by its recorded name and digest, where it is none that `kb` knows."""
        self.home = home
        self.catalog = Catalog(home.catalog_url)
        self.catalog.require()
        self._store: Store | None = None
        self._models = Models(load_model)
        self._pipelines: dict[str, Pipeline] = {}

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.catalog.close()

    # Searching

    @retrieval
    def search(
        self,
        query: str,
        *,
        as_of: str | int = "head",
        k: int = 10,
        mode: Mode = "hybrid",
        exact: bool = False,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        groups: Sequence[str] | None = None,
    ) -> Answer:
        """The best passages as of a version. Raises UsageError, NotFound, Expired or EmbedderError.

        With `groups`, only what is for everyone or for one of them; None is for one who may see everything.
        """
        from kb.search.filters import normalise
        from kb.search.query import Query

        began = time.perf_counter()
        asked = Query(query, k, mode, exact, normalise(filters or {}), groups)

        def look(connection: Connection) -> tuple[Snapshot, Any]:
            snapshot = resolve_snapshot(connection, as_of)
            return snapshot, self._find(connection, snapshot, asked)

        snapshot, hits = undisturbed(self.catalog, look)
        took_ms = round((time.perf_counter() - began) * 1000, 3)
        return Answer(query, uuid.uuid4().hex, mode, exact, took_ms, _served(as_of, snapshot), hits)

    def _find(self, connection: Connection, snapshot: Snapshot, query: "Query") -> Any:
        from kb.search.query import View
        from kb.search.search import search

        for name in query.filters.get("source", ()):
            if snapshots.latest_of(connection, name) is None:
                sources.require(connection, name)
        pipelines = partial(self._pipeline, connection)
        pipeline = pipelines(snapshot.fingerprint)
        table = self.store.chunks(pipeline.space, pipeline.dimensions)
        view = View(connection, self.store, table, snapshot, pipelines)
        return search(view, query, partial(self._models.query_vector, pipeline))

    # Versions

    def log(self, limit: int | None = 20, *, source: str | None = None) -> Sequence[Snapshot]:
        """The snapshots that are kept, newest first. Raises NotFound for a source that never was."""
        with self.catalog.reading() as connection:
            if source is not None and snapshots.latest_of(connection, source) is None:
                sources.require(connection, source)
            return snapshots.newest(connection, limit, source)

    def show(self, reference: str | int = "head") -> Shown:
        """One snapshot and the documents that differ from the nearest kept version before it."""
        with self.catalog.reading() as connection:
            snapshot = resolve_snapshot(connection, reference)
            parts = snapshots.pipeline_parts(connection, snapshot.fingerprint) or {}
            tags = tuple(name for name, version in names.tags(connection).items() if version == snapshot.version)
            before = snapshots.kept_before(connection, snapshot.version) or (0 if snapshot.version == 1 else None)
            changes = () if before is None else _changes(connection, before, snapshot.version)
            return Shown(snapshot, changes, parts, tags, before)

    def diff(
        self,
        before: str | int,
        after: str | int = "head",
        *,
        level: Level = "documents",
        text: bool = False,
        queries: Sequence[str] = (),
    ) -> Diff:
        """What differs between two versions, at one level; `text` adds unified diffs to documents."""
        return undisturbed(self.catalog, lambda found: self._diff(found, (before, after), level, text, queries))

    def _diff(
        self,
        connection: Connection,
        asked: tuple[str | int, str | int],
        level: Level,
        text: bool,
        queries: Sequence[str],
    ) -> Diff:
        ends = resolve(connection, asked[0]), resolve(connection, asked[1])
        if level == "results":
            return self._result_diff(connection, ends, queries)
        if queries:
            raise UsageError("--query compares results: add --level results")
        changes = _changes(connection, *ends)
        layouts = self.store.texts.get(diff.layouts_of(changes)) if changes and (text or level == "chunks") else {}
        if level == "chunks":
            return Diff(*ends, chunks=diff.chunk_changes(changes, layouts))
        return Diff(*ends, documents=diff.with_text(changes, layouts) if text else changes)

    def _result_diff(self, connection: Connection, ends: tuple[int, int], queries: Sequence[str]) -> Diff:
        from kb.search.query import Query

        if not queries:
            raise UsageError("a diff of results needs at least one query: add --query")
        changes: list[ResultChange] = []
        for query in queries:
            found = [self._find(connection, resolve_snapshot(connection, end), Query(query)) for end in ends]
            changes += diff.result_changes(query, *found)
        return Diff(*ends, results=tuple(changes))

    # Documents

    def documents(self, *, as_of: str | int = "head", source: str | None = None) -> Sequence[DocumentVersion]:
        """All documents that live at a version, by source and URI."""
        with self.catalog.reading() as connection:
            return list(documents.at(connection, resolve(connection, as_of), source))

    def history(self, document: str) -> Sequence[DocumentVersion]:
        """All versions of one document that a kept version holds, oldest first. Raises NotFound."""
        with self.catalog.reading() as connection:
            return documents.history(connection, resolve_document(connection, document))

    def document(self, document: str, *, as_of: str | int = "head") -> Document:
        """A document's text as of a version. Raises NotFound or Expired."""

        def look(connection: Connection) -> Document:
            snapshot = resolve_snapshot(connection, as_of)
            identity = resolve_document(connection, document)
            found = documents.some_at(connection, snapshot.version, [identity]).get(identity)
            if found is None:
                at = f"at version {snapshot.version}"
                raise NotFound(f"document {document!r} does not exist {at}: `kb history` shows where it does")
            text = self.store.texts.get([found.layout])[found.layout].text
            return Document(found, _served(as_of, snapshot), text)

        return undisturbed(self.catalog, look)

    def original(self, document: str, *, as_of: str | int = "head") -> bytes:
        """A document's own bytes as of a version. Raises NotFound, also where its source did not keep them."""
        from kb.original import original

        return original(self.store, self.document(document, as_of=as_of).version)

    # Names

    def tags(self) -> dict[str, int]:
        with self.catalog.reading() as connection:
            return names.tags(connection)

    def tag(self, name: str, reference: str | int = "head") -> int:
        """Names a version and returns it. Raises UsageError for a name that is taken or would hide another."""
        check_tag(name)
        with self.catalog.writing() as connection:
            taken = names.tagged(connection, name)
            version = resolve(connection, reference)
            if taken is not None and taken != version:
                raise UsageError(f"tag {name!r} already names version {taken}: delete it first with `kb tag --delete`")
            if taken is None:
                names.set_tag(connection, name, version, now())
            return version

    def delete_tag(self, name: str) -> None:
        with self.catalog.writing() as connection:
            if not names.delete_tag(connection, name):
                raise NotFound(f"there is no tag {name!r}: `kb tag --list` shows them")

    # Sources and their state

    def sources(self) -> Sequence[Source]:
        with self.catalog.reading() as connection:
            return sources.listed(connection)

    def source(self, name: str) -> Source:
        """Raises NotFound."""
        with self.catalog.reading() as connection:
            return sources.require(connection, name)

    def quarantine(self, source: str | None = None) -> Sequence[scan.Quarantined]:
        """Documents that could not be taken in, with their reasons."""
        with self.catalog.reading() as connection:
            if source is not None:
                sources.require(connection, source)
            return scan.quarantined(connection, source)

    def status(self) -> Status:
        with self.catalog.reading() as connection:
            return status.status(connection, self.home, now())

    def verify(self, reference: str | int = "head", *, sources: bool = False) -> Verification:
        """Re-derives every digest, span and row up to a version and reports what does not hold.

        With `sources`, the version's documents are also read again at their sources and compared with their digests.
        """
        from kb.verify import comparable, verify
        from kb.verify_access import verify_access

        found = undisturbed(self.catalog, lambda seen: verify(seen, self.store, resolve(seen, reference)))
        found = replace(found, findings=(*found.findings, *verify_access(self.catalog, self.store)))
        if not sources:
            return found
        with self.catalog.reading() as connection:
            compared, left_out = comparable(connection, resolve(connection, found.version))
        findings = (*found.findings, *self.writer.compare_sources(compared))
        return replace(found, sources=len(compared), quarantined=left_out, findings=findings)

    # Writing

    @property
    def writer(self) -> Writer:
        """The verbs that write: `add_source`, `remove_source`, `plan`, `sync`, `retain`."""
        return writer(self.home)

    def sync(self, *names: str, message: str | None = None, allow_deletes: bool = False) -> Any:
        """Brings the named sources, or all, up to date; returns what was published, quarantined and refused."""
        return self.writer.sync(names, message=message, allow_deletes=allow_deletes)

    def plan(self, *names: str) -> Any:
        """What a sync would do; writes nothing."""
        return self.writer.plan(names)

    def retain(self, policy: Policy, *, dry_run: bool = False) -> Any:
        """Keeps the versions that the policy asks for, and the head; others expire, and what they alone needed goes."""
        return self.writer.retain(policy, dry_run=dry_run)

    # What the verbs stand on

    @property
    def store(self) -> "Store":
        """Opened on first use: listing versions needs no LanceDB."""
        if self._store is None:
            from kb.store import Store

            self._store = Store(self.home.store)
        return self._store

    def _pipeline(self, connection: Connection, fingerprint: str) -> Pipeline:
        """What a fingerprint stands for never changes, so it is looked up once."""
        if fingerprint not in self._pipelines:
            parts = snapshots.pipeline_parts(connection, fingerprint)
            if parts is None:
                raise Corrupt(f"pipeline {fingerprint} is not in the catalog: run `kb verify`")
            self._pipelines[fingerprint] = Pipeline.of(parts)
        return self._pipelines[fingerprint]


def _served(reference: str | int, snapshot: Snapshot) -> Served:
    return Served(str(reference), snapshot.version, snapshot.committed_at, snapshot.digest)


def _changes(connection: Connection, before: int, after: int) -> tuple[DocumentChange, ...]:
    touched = documents.touched(connection, min(before, after), max(before, after))
    return diff.document_changes(touched, before, after)
