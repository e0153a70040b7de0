"""A knowledge base as its readers use it: every verb takes a reference to the version that is to answer."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kb import daemon, sight, status
from kb.answers import Answer, Diff, Document, Served, Shown, Status, Verification
from kb.asker import Asker
from kb.asking import Asked
from kb.catalog import Catalog, Connection, documents, scan
from kb.clock import now
from kb.comparison import Comparison, Level, compare
from kb.embedding.models import LoadModel
from kb.home import Home
from kb.nouns import DocumentVersion, Expand, Mode, Snapshot, Source
from kb.opened import Opened
from kb.reference import document_at, resolve, resolve_document, resolve_snapshot
from kb.replay import logged
from kb.retention import Policy
from kb.stopwatch import Stopwatch
from kb.tagging import delete_tag, tag
from kb.telemetry import retrieval
from kb.undisturbed import undisturbed
from kb.writing import Writer, writer

if TYPE_CHECKING:
    from kb.search.query import Query
    from kb.store import Store
    from kb.store.chunks import ChunkTable


class KnowledgeBase(Asked):
    """Reads a home's catalog and store. Any number may be open, in any number of processes, while one writer works."""

    def __init__(self, home: Home, load_model: LoadModel | None = None) -> None:
        """`load_model` finds an embedder by its recorded name and digest, where it is none that `kb` knows."""
        self.home = home
        self._opened = Opened(home, load_model)
        self._asker = Asker()

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    def warm(self) -> None:
        """Loads all that the first search of the newest version would have to wait for. Raises EmbedderError."""
        from kb.search.query import Query

        def look(connection: Connection) -> None:
            head = resolve_snapshot(connection, "head")
            self._rows(connection, head).make_image(head.version)
            self.store.texts.learn()
            self._find(connection, head, Query("warm", 1))

        if self.log(1):
            undisturbed(self.catalog, look)

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
        budget_tokens: int | None = None,
        expand: Expand | None = None,
        per_document: int | None = None,
        rerank: str | None = None,
    ) -> Answer:
        """The best passages as of a version. Raises UsageError, NotFound, Expired or EmbedderError.

        With `groups`, as members of those see it: the same as `seen_by(groups).search(...)`. Of the k best, those that
        fit `budget_tokens`, by the embedder's tokeniser; `expand="section"` widens each to the passages around it;
        `rerank` is the directory of a cross-encoder.
        """
        further = {"budget_tokens": budget_tokens, "expand": expand, "per_document": per_document, "rerank": rerank}
        asked: dict[str, Any] = {"k": k, "mode": mode, "exact": exact, "filters": filters or {}}
        asked |= {name: value for name, value in further.items() if value is not None}
        if groups is not None:
            return self.seen_by(groups).search(query, as_of=as_of, **asked)
        answer = self._answer(query, as_of, **asked)
        if self._opened.journal is not None:
            self._opened.journal.keep(logged(answer, asked, self._asker, self.home.config, now()))
        return answer

    def _answer(self, query: str, as_of: str | int, *, filters: Mapping[str, Any], **settings: Any) -> Answer:
        from kb.answering import answer
        from kb.search.filters import normalise
        from kb.search.query import Query

        asked = Query(query, filters=normalise(filters), keys=self._keys, **settings)
        return answer(self.catalog, as_of, asked, self._find, self._served)

    def _find(self, connection: Connection, snapshot: Snapshot, query: "Query", watch: Stopwatch | None = None) -> Any:
        from kb.search.query import View
        from kb.search.search import search

        for name in query.filters.get("source", ()):
            sight.require_source(connection, name, self._keys)
        table, pipelines = self._rows(connection, snapshot), partial(self._opened.pipeline, connection)
        view = View(connection, self.store, table, snapshot, self._opened.frequencies, pipelines)
        return search(view, query, self._opened.models, watch or Stopwatch())

    def _rows(self, connection: Connection, snapshot: Snapshot) -> "ChunkTable":
        pipeline = self._opened.pipeline(connection, snapshot.fingerprint)
        return self.store.chunks(pipeline.space, pipeline.dimensions)

    # Versions

    def version(self, reference: str | int = "head") -> int:
        """The version that a reference means. Raises NotFound, Expired or UsageError."""
        with self.catalog.reading() as connection:
            return resolve(connection, reference, self._keys)

    def log(
        self, limit: int | None = 20, *, source: str | None = None, before: int | None = None
    ) -> Sequence[Snapshot]:
        """The snapshots that are kept, or those older than `before`, newest first. Raises NotFound for a source that
        never was.
        """
        with self.catalog.reading() as connection:
            return sight.newest(connection, limit, source, self._keys, before)

    def show(self, reference: str | int = "head") -> Shown:
        """One snapshot and the documents that differ from the nearest kept version before it."""
        with self.catalog.reading() as connection:
            snapshot = resolve_snapshot(connection, reference, self._keys)
            return sight.shown(connection, snapshot, self._keys)

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
        asked = Comparison(level, text, tuple(queries))

        def look(connection: Connection) -> Diff:
            ends = resolve(connection, before, self._keys), resolve(connection, after, self._keys)
            return compare(connection, ends, asked, self._keys, lambda: self.store, partial(self._find, connection))

        return undisturbed(self.catalog, look)

    # Documents

    def documents(
        self,
        *,
        as_of: str | int = "head",
        source: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> Sequence[DocumentVersion]:
        """The documents that live at a version, by source and URI; `after` is the source and URI of one passed over.

        Raises NotFound, also for a source that never was.
        """
        with self.catalog.reading() as connection:
            if source is not None:
                sight.require_source(connection, source, self._keys)
            version = resolve(connection, as_of, self._keys)
            return list(documents.at(connection, version, source, self._keys, after, limit))

    def history(self, document: str) -> Sequence[DocumentVersion]:
        """All versions of one document that a kept version holds, oldest first. Raises NotFound."""
        with self.catalog.reading() as connection:
            identity = resolve_document(connection, document, self._keys)
            return documents.history(connection, identity, self._keys)

    def document(self, document: str, *, as_of: str | int = "head") -> Document:
        """A document's text as of a version. Raises NotFound or Expired."""

        def look(connection: Connection) -> Document:
            snapshot = resolve_snapshot(connection, as_of, self._keys)
            found = document_at(connection, document, snapshot.version, self._keys)
            text = self.store.texts.get([found.layout])[found.layout].text
            return Document(found, self._served(as_of, snapshot), text)

        return undisturbed(self.catalog, look)

    def original(self, document: str, *, as_of: str | int = "head") -> bytes:
        """A document's own bytes as of a version. Raises NotFound, also where its source did not keep them."""
        from kb.original import original

        return original(self.store, self.document(document, as_of=as_of).version)

    # Names

    def tags(self) -> dict[str, int]:
        with self.catalog.reading() as connection:
            return sight.tags(connection, self._keys)

    def tag(self, name: str, reference: str | int = "head") -> int:
        """Names a version and returns it. Raises UsageError for a name that is taken or would hide another."""
        self._asker.require_all("name a version")
        return tag(self.catalog, name, reference)

    def delete_tag(self, name: str) -> None:
        self._asker.require_all("delete a tag")
        delete_tag(self.catalog, name)

    # Sources and their state

    def sources(self) -> Sequence[Source]:
        with self.catalog.reading() as connection:
            return sight.listed_sources(connection, self._keys)

    def source(self, name: str) -> Source:
        """Raises NotFound."""
        with self.catalog.reading() as connection:
            return sight.source(connection, name, self._keys)

    def quarantine(self, source: str | None = None) -> Sequence[scan.Quarantined]:
        """Documents that could not be taken in, with their reasons."""
        with self.catalog.reading() as connection:
            return sight.quarantined(connection, source, self._keys)

    def status(self) -> Status:
        # Asked before the catalog is read: a daemon that hangs is waited for.
        followed = daemon.find(self.home) if self._keys is None else None
        with self.catalog.reading() as connection:
            return status.status(connection, self.home, followed.url if followed else None, now(), self._keys)

    def verify(self, reference: str | int = "head", *, sources: bool = False) -> Verification:
        """Re-derives every digest, span and row up to a version and reports what does not hold.

        With `sources`, the version's documents are also read again at their sources and compared with their digests.
        """
        from kb.verification import verify_all

        self._asker.require_all("verify")
        compare = self.writer.compare_sources if sources else None
        return verify_all(self.catalog, self.store, reference, compare)

    # Writing

    @property
    def writer(self) -> Writer:
        """The verbs that write: `add_source`, `remove_source`, `plan`, `sync`, `retain`."""
        self._asker.require_all("write by it")
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
    def catalog(self) -> Catalog:
        return self._opened.catalog

    @property
    def store(self) -> "Store":
        """Opened on first use: listing versions needs no LanceDB."""
        return self._opened.store

    def _served(self, reference: str | int, snapshot: Snapshot) -> Served:
        # The digest is of everything, so that it would tell whether there is more than is seen.
        digest = snapshot.digest if self._keys is None else ""
        return Served(str(reference), snapshot.version, snapshot.committed_at, digest)
