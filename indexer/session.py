"""What one run of the writer works with: opened once, the costly parts on first use."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Final

import numpy as np

from indexer import permission
from indexer.extract.pool import ExtractionPool
from indexer.pipeline import current
from indexer.progress import Event, Observer
from indexer.sweep import sweep
from kb.catalog import Catalog, expiry, pending, snapshots, terms
from kb.embedding.protocol import Embedder, Vectors
from kb.home import Config, Home
from kb.memory import give_back
from kb.pipeline import Pipeline
from kb.store import Store
from kb.store.chunks import ChunkTable
from kb.store.upkeep import BUSY_ROWS, BUSY_SNAPSHOTS, IDLE

_REMEMBERED: Final = 50_000
"""Passages: fewer than a reader does, for the indexer reads on while it extracts."""


class Session:
    """Belongs to the one process that holds the writer's lock."""

    def __init__(self, home: Home, catalog: Catalog, pool: ExtractionPool, observe: Observer) -> None:
        self.home = home
        self.catalog = catalog
        self.pool = pool
        self.observe = observe
        self._rows = self._snapshots = 0
        self._turn = threading.RLock()
        self._keeping = threading.Lock()
        self._unclean = False

    @property
    def config(self) -> Config:
        return self.home.config

    @cached_property
    def pipeline(self) -> Pipeline:
        return current(self.config.model)

    @cached_property
    def store(self) -> Store:
        return Store(self.home.store, remembered=_REMEMBERED)

    @cached_property
    def table(self) -> ChunkTable:
        """The rows of the pipeline's own space."""
        return self.store.prepare(self.pipeline.space, self.pipeline.dimensions)

    @cached_property
    def _embedder(self) -> Embedder:
        from kb.embedding.load import load

        return load(self.pipeline.embedder, self.pipeline.weights_sha256)

    def embedder(self) -> Embedder:
        """Loaded on the first call: a sync that embeds nothing loads no model."""
        return self._embedder

    def model(self, name: str, digest: str) -> Embedder:
        """The model of that name and digest; the pipeline's own is not loaded twice. Raises as `kb.embedding.load`."""
        from kb.embedding.load import load

        own = (self.pipeline.embedder, self.pipeline.weights_sha256)
        return self.embedder() if (name, digest) == own else load(name, digest)

    def known_vectors(self, texts: Iterable[str]) -> dict[str, Vectors]:
        """Vectors made before, by the texts' SHA-256: for a published row, or for a commit that was not finished."""
        wanted = set(texts)
        found = self.table.vectors_of(wanted) if self.store.holds(self.pipeline.space) else {}
        with self.catalog.reading() as connection:
            kept = pending.vectors(connection, self.pipeline.space, wanted - found.keys())
        return found | {text: np.frombuffer(vector, "<f4") for text, vector in kept.items()}

    def keep_vectors(self, vectors: Mapping[str, bytes]) -> None:
        with self._keeping, self.catalog.writing() as connection:
            pending.keep_vectors(connection, self.pipeline.space, vectors)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Sources that are read side by side write one after the other; what one left undone is taken back first."""
        with self._turn:
            if self._unclean:
                self.recover()
            self._unclean = True
            yield
            self._unclean = False

    def tend(self, rows: int) -> None:
        """A snapshot has written so many rows: upkeep where enough was written since the last."""
        self._rows += rows
        self._snapshots += 1
        if self._rows > BUSY_ROWS or self._snapshots > BUSY_SNAPSHOTS:
            self.upkeep()

    def upkeep(self) -> None:
        """Upkeep where the store and the catalog need it; readers go on meanwhile."""
        self.observe(Event("upkeep", ""))
        self.store.upkeep(IDLE)
        while self._settle_terms():
            pass
        give_back()
        self._rows = self._snapshots = 0

    def _settle_terms(self) -> bool:
        with self.catalog.writing() as connection:
            return terms.settle(connection)

    def recover(self) -> None:
        """Undoes what a commit left that did not come to its end; ends what a retention or a permission began."""
        with self.catalog.reading() as connection:
            unfinished, unswept = pending.intended(connection), expiry.unswept(connection)
            head = snapshots.head(connection)
        if unfinished is not None:
            self.store.recover(head)
            with self.catalog.writing() as connection:
                pending.settle(connection)
        if unswept:
            sweep(self.catalog, self.store, lambda step: self.observe(Event("retain", "", step)))
        permission.resume(self.catalog, lambda: self.store)
