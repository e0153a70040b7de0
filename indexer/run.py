"""One run of one source: its connector opened, what it holds followed, and a record of how that went."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from connectors import registry
from connectors.protocol import Closeable, Connector
from indexer.sync import SourceSync, Synced
from kb.catalog import Catalog, runs
from kb.catalog.runs import Run
from kb.clock import now
from kb.home import Home
from kb.nouns import Source
from kb.unwritable import writes


def run(
    home: Home,
    catalog: Catalog,
    source: Source,
    work: SourceSync,
    meet: Callable[[Connector], None] = lambda _connector: None,
) -> None:
    """Raises what the work raises; what it reached before that holds, and is recorded with the error.

    `meet` is called with the connector before anything is read.
    """
    began = now()
    error: str | None = "interrupted"
    try:
        with opened(home, source) as connector, writes(home.path):
            meet(connector)
            work.run(connector)
        error = None
    except Exception as problem:
        error = str(problem) or type(problem).__name__
        raise
    finally:
        _record(catalog, source, work.synced, began, error)


@contextmanager
def opened(home: Home, source: Source) -> Iterator[Connector]:
    """The source's connector, closed afterwards if it holds something open. Raises ConfigError."""
    connector = registry.build(
        source.kind,
        source.options,
        workspace=home.workspace,
        base=home.path.parent,
        max_bytes=home.config.max_document_mb * 2**20,
    )
    try:
        yield connector
    finally:
        if isinstance(connector, Closeable):
            connector.close()


def _record(catalog: Catalog, source: Source, synced: Synced, began: datetime, error: str | None) -> None:
    made = Run(
        source=source.name,
        started_at=began,
        ended_at=now(),
        succeeded=error is None,
        error=error,
        published=len(synced.published),
        skipped=synced.skipped,
        embedded=synced.embedded,
        embed_seconds=synced.embed_seconds,
    )
    with catalog.writing() as connection:
        runs.add(connection, made)
