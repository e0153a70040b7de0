"""How a knowledge base and its sources stand."""

from pathlib import Path

from kb.answers import SourceStatus, Status
from kb.catalog import Connection, documents, runs, scan, snapshots, sources
from kb.home import CATALOG, Home
from kb.nouns import Source


def status(connection: Connection, home: Home) -> Status:
    head = snapshots.head(connection)
    newest = snapshots.get(connection, head)
    return Status(
        home=str(home.path),
        model=home.config.model,
        head=head,
        committed_at=newest.committed_at if newest else None,
        documents=newest.documents.total if newest else 0,
        chunks=newest.chunks.total if newest else 0,
        catalog_bytes=sum(_size(home.path / f"{CATALOG}{suffix}") for suffix in ("", "-wal")),
        store_bytes=sum(_size(path) for path in home.store.rglob("*")),
        sources=tuple(_source(connection, source, head) for source in sources.listed(connection)),
    )


def _source(connection: Connection, source: Source, head: int) -> SourceStatus:
    run = runs.last(connection, source.name)
    published = snapshots.latest_of(connection, source.name)
    return SourceStatus(
        source=source,
        documents=documents.count_at(connection, head, source.name),
        quarantine=scan.count_by_reason(connection, source.name),
        skipped=run.skipped if run else {},
        last_run=run.ended_at if run else None,
        last_error=run.error if run else None,
        last_published=published.committed_at if published else None,
        source_revision=published.source_revision if published else None,
    )


def _size(path: Path) -> int:
    # Files come and go while a writer works.
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
