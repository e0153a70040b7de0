"""Filling a knowledge base with the corpus by the program's own publishing path; its embedder alone is made."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from indexer.beside import beside
from indexer.commit import Commit, Occasion, Tables, build, publish, write
from indexer.creation import create
from indexer.delta import Delta, diff
from indexer.embed import Embedded
from indexer.extract.pool import ExtractionPool
from indexer.intake import Intake
from indexer.progress import unobserved
from indexer.session import Session
from indexer.turnover import Turnover, turn_over
from kb.analysis import ANALYSER
from kb.base import KnowledgeBase
from kb.catalog import Catalog, snapshots
from kb.digest import document_id, sha256_text
from kb.home import open_home
from kb.layout import Layout, lay_out
from kb.nouns import FOREVER, DocumentVersion, Passage
from kb.pipeline import Pipeline
from scripts.benchmarks.store_parts.made import MadeEmbedder, load_made

SOURCE: Final = "corpus"
PIPELINE: Final = Pipeline(
    extractor="made",
    chunker="made",
    tokeniser="made",
    analyser=ANALYSER,
    embedder=MadeEmbedder.name,
    weights_sha256=MadeEmbedder.digest,
    dimensions=MadeEmbedder.dimensions,
)
_BEGAN: Final = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of one publish, without embedding: working it out, the rows, the catalog; and its upkeep apart."""

    chunks: int
    build: float
    rows: float
    catalog: float
    upkeep: float

    @property
    def publish(self) -> float:
        return self.build + self.rows + self.catalog


class Publisher:
    """The one writer of a knowledge base made for measuring."""

    def __init__(self, home: Path, embedder: MadeEmbedder) -> None:
        create(home, f"hashing:{PIPELINE.dimensions}")
        self.home = open_home(home)
        self._catalog = Catalog(self.home.catalog_url)
        self._session = Session(self.home, self._catalog, ExtractionPool(), unobserved)
        self.store = self._session.store
        self._embedder = embedder
        self._living: dict[str, DocumentVersion] = {}
        self.table = self.store.prepare(PIPELINE.space, PIPELINE.dimensions)

    def close(self) -> None:
        self._catalog.close()

    def publish(self, texts: Iterable[tuple[str, Sequence[str]]]) -> tuple[Commit, Spent]:
        """Publishes documents, given by their URIs and their passages, as `SourceSync` does after chunking."""
        intake = self._intake(texts)
        began = time.perf_counter()
        delta = diff(intake.opened, intake.closed, intake.layouts, self.store.texts.outlines(_layouts(intake)))
        differed = time.perf_counter()
        with beside(lambda: turn_over(self.table, delta)) as working:
            embedded = self._embedded(delta)
            # Worked out while chunks are embedded, which takes seconds where embedding is not made up.
            turnover = working.result()
        moments = [time.perf_counter()]
        commit = self._build(intake, delta, embedded, turnover)
        moments.append(time.perf_counter())
        write(self._catalog, self.store, Tables(self.table, self.table), commit, lambda _step: None)
        moments.append(time.perf_counter())
        with self._catalog.writing() as connection:
            publish(connection, commit)
        moments.append(time.perf_counter())
        self._session.tend(len(commit.born) + len(commit.ended))
        moments.append(time.perf_counter())
        building, rows, catalog, tidying = ((end - start) * 1000 for start, end in pairwise(moments))
        self._living |= {version.uri: version for version in commit.opened}
        return commit, Spent(len(commit.born), (differed - began) * 1000 + building, rows, catalog, tidying)

    def _intake(self, texts: Iterable[tuple[str, Sequence[str]]]) -> Intake:
        layouts = {uri: _lay_out(passages) for uri, passages in texts}
        opened = tuple(_version(uri, layout) for uri, layout in layouts.items())
        closed = tuple(self._living[uri] for uri in layouts if uri in self._living)
        # Read while what comes is extracted, which is not made here.
        self.store.texts.outlines(version.layout for version in closed)
        return Intake(opened, closed, {layout.key: layout for layout in layouts.values()}, (), (), (), (), {})

    def _embedded(self, delta: Delta) -> Embedded:
        texts = {birth.chunk.text_sha256: birth.chunk.text for birth in delta.born}
        vectors = self._embedder.embed(list(texts.values()))
        return Embedded(dict(zip(texts, vectors, strict=True)), len(texts), 0.0)

    def _build(self, intake: Intake, delta: Delta, embedded: Embedded, turnover: Turnover) -> Commit:
        with self._catalog.reading() as connection:
            # An hour from one to the next, so that a history can be thinned by time.
            moment = _BEGAN + timedelta(hours=snapshots.head(connection))
            occasion = Occasion(moment, SOURCE, None, None, None)
            tables = Tables(self.table, self.table)
            return build(connection, tables, PIPELINE, occasion, intake, delta, embedded, turnover)


def open_made(home: Path) -> KnowledgeBase:
    """As `kb.open` does, with the made embedder."""
    return KnowledgeBase(open_home(home), load_made)


def _layouts(intake: Intake) -> list[str]:
    return [version.layout for version in intake.closed]


def _lay_out(passages: Sequence[str]) -> Layout:
    spans, start = [], 0
    for passage in passages:
        spans.append(Passage(start, start + len(passage)))
        start += len(passage) + 2
    return lay_out("\n\n".join(passages), spans)


def _version(uri: str, layout: Layout) -> DocumentVersion:
    return DocumentVersion(
        document_id=document_id(SOURCE, uri),
        source=SOURCE,
        uri=uri,
        since=0,
        until=FOREVER,
        title=None,
        media_type="text/plain",
        content_sha256=sha256_text(layout.text),
        text_sha256=layout.text_sha256,
        layout=layout.key,
        source_revision=None,
        modified_at=_BEGAN,
        fingerprint=PIPELINE.fingerprint,
    )
