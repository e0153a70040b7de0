"""What is open of a home: its catalog, its store, and the models and pipelines that were needed so far."""

from typing import TYPE_CHECKING

from kb.catalog import Catalog, Connection, snapshots
from kb.embedding.models import LoadModel, Models
from kb.errors import Corrupt
from kb.home import Home
from kb.journal import Journal
from kb.pipeline import Pipeline

if TYPE_CHECKING:
    from kb.search.frequencies import Frequencies
    from kb.store import Store


class Opened:
    """Shared by all who read the knowledge base, whatever each of them may see."""

    def __init__(self, home: Home, load_model: LoadModel | None) -> None:
        self.catalog = Catalog(home.catalog_url)
        self.catalog.require()
        self.models = Models(load_model)
        self.journal = Journal(home) if home.config.log_requests else None
        self._home = home
        self._store: Store | None = None
        self._frequencies: Frequencies | None = None
        self._pipelines: dict[str, Pipeline] = {}

    @property
    def store(self) -> "Store":
        if self._store is None:
            from kb.store import Store

            self._store = Store(self._home.store)
        return self._store

    @property
    def frequencies(self) -> "Frequencies":
        if self._frequencies is None:
            from kb.search.frequencies import Frequencies

            self._frequencies = Frequencies()
        return self._frequencies

    def pipeline(self, connection: Connection, fingerprint: str) -> Pipeline:
        """What a fingerprint stands for never changes, so it is looked up once."""
        if fingerprint not in self._pipelines:
            parts = snapshots.pipeline_parts(connection, fingerprint)
            if parts is None:
                raise Corrupt(f"pipeline {fingerprint} is not in the catalog: run `kb verify`")
            self._pipelines[fingerprint] = Pipeline.of(parts)
        return self._pipelines[fingerprint]

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()
        self.catalog.close()
