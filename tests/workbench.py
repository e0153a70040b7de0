"""A real knowledge base in a directory, written through the real pipeline by one extraction pool for all tests."""

import atexit
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

from connectors import registry
from connectors.protocol import Closeable, Connector
from indexer.creation import create
from indexer.extract.pool import ExtractionPool
from indexer.lock import writer_lock
from indexer.progress import Observer, unobserved
from indexer.rework import move_space
from indexer.session import Session
from indexer.sync import SourceSync, Synced
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.catalog import sources
from kb.clock import now
from kb.embedding.hashing import HashingEmbedder
from kb.embedding.protocol import Embedder, Vectors
from kb.home import CONFIG, open_home, write_config
from kb.nouns import Source
from kb.store.upkeep import NONE


@cache
def pool() -> ExtractionPool:
    """Starting its process costs more than a hundred syncs of a few documents."""
    started = ExtractionPool(workers=1)
    atexit.register(started.close)
    return started


class CountingEmbedder(HashingEmbedder):
    """Remembers every text that it was given."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return super().embed(texts)


class CountedSession(Session):
    """A session that embeds with the embedder it is given."""

    counted: Embedder

    def embedder(self) -> Embedder:
        return self.counted


class Workbench:
    """A home with its sources. `embedder.texts` are all texts that were ever embedded for it."""

    def __init__(self, path: Path, dimensions: int) -> None:
        self.path = path
        self.home, _ = create(path / "home", f"hashing:{dimensions}")
        self.writer = Writer(self.home)
        self.embedder = CountingEmbedder(dimensions)

    def change_model(self, dimensions: int) -> None:
        """As a user does it: in the configuration, for the next sync."""
        write_config(self.home.path / CONFIG, f"hashing:{dimensions}")
        self.writer.catalog.close()
        self.home = open_home(self.home.path)
        self.writer = Writer(self.home)
        self.embedder = CountingEmbedder(dimensions)

    def add_folder(self, name: str, folder: Path | None = None) -> Path:
        folder = folder or self.path / name
        folder.mkdir(exist_ok=True)
        self.writer.add_source(name, "folder", {"path": str(folder)})
        return folder

    def add_git(self, name: str, repository: Path, **options: str) -> None:
        self.writer.add_source(name, "git", {"url": str(repository), **options})

    def add_unregistered(self, name: str) -> None:
        """A source of no registered kind: `sync_with` is given its connector."""
        with self.writer.catalog.writing() as connection:
            sources.add(connection, Source(name, "test", {}, created_at=now()))

    def sync(self, *names: str, observe: Observer = unobserved) -> list[Synced]:
        """Brings the named sources up to date, one after the other."""
        return [self._sync(name, observe) for name in names]

    def sync_with(self, name: str, connector: Connector, *, observe: Observer = unobserved) -> Synced:
        with writer_lock(self.home.lock), KnowledgeBase(self.home) as base:
            session = self.session(observe)
            session.recover()
            moved = move_space(session)
            work = SourceSync(session, base.source(name), None, allow_deletes=True)
            work.synced.published += [moved] if moved else []
            work.run(connector)
        return work.synced

    def _sync(self, name: str, observe: Observer) -> Synced:
        connector = self._connector(name)
        try:
            return self.sync_with(name, connector, observe=observe)
        finally:
            if isinstance(connector, Closeable):
                connector.close()

    def embedded_by(self, action: Callable[[], object]) -> list[str]:
        """The texts that are embedded in the course of an action."""
        before = len(self.embedder.texts)
        action()
        return self.embedder.texts[before:]

    def session(self, observe: Observer = unobserved) -> Session:
        session = CountedSession(self.home, self.writer.catalog, pool(), observe)
        session.counted = self.embedder
        return session

    def compact(self) -> None:
        self.session().store.upkeep(NONE, timedelta(milliseconds=1))

    def close(self) -> None:
        self.writer.catalog.close()

    def _connector(self, name: str) -> Connector:
        with KnowledgeBase(self.home) as base:
            source = base.source(name)
        return registry.build(source.kind, source.options, workspace=self.home.workspace, base=self.path)


def fill(folder: Path, documents: Mapping[str, str]) -> None:
    """Writes the documents' bytes as they are, line ends included."""
    for uri, text in documents.items():
        (folder / uri).parent.mkdir(parents=True, exist_ok=True)
        (folder / uri).write_bytes(text.encode())
