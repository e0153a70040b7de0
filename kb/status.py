"""How a knowledge base and its sources stand."""

from datetime import datetime
from pathlib import Path

from kb.answers import SourceStatus, Status
from kb.catalog import Connection, documents, runs, scan, snapshots, sources, standings
from kb.catalog.standings import Standing
from kb.coverage import age_s, stale
from kb.home import CATALOG, Home
from kb.nouns import Source


def status(connection: Connection, home: Home, moment: datetime) -> Status:
    """As it stands at the moment."""
    head = snapshots.head(connection)
    stands = standings.listed(connection)
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
        sources=tuple(
            _source(connection, source, head, stands.get(source.name, Standing()), moment)
            for source in sources.listed(connection)
        ),
    )


def _source(connection: Connection, source: Source, head: int, standing: Standing, moment: datetime) -> SourceStatus:
    run = runs.last(connection, source.name)
    published = snapshots.latest_of(connection, source.name)
    lag_s = age_s(runs.last_success(connection, source.name), moment)
    return SourceStatus(
        source=source,
        documents=documents.count_at(connection, head, source.name),
        quarantine=scan.count_by_reason(connection, source.name),
        skipped=run.skipped if run else {},
        last_run=run.ended_at if run else None,
        last_error=run.error if run else None,
        last_published=published.committed_at if published else None,
        source_revision=published.source_revision if published else None,
        changed_at=standing.changed_at or (published.committed_at if published else None),
        lag_s=lag_s,
        stale=stale(source.fresh_within, lag_s),
        failures=standing.failures,
        circuit="open" if standing.opened_at else "closed",
        guarded=standing.guarded,
        running_since=standing.running_since,
        next_run=standing.retry_at if standing.opened_at else standing.next_at,
    )


def _size(path: Path) -> int:
    # Files come and go while a writer works.
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
