"""How a knowledge base and its sources stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from kb import sight
from kb.access import Keys
from kb.answers import SourceStatus, Status
from kb.catalog import Connection, documents, runs, scan, snapshots, sources, standings
from kb.catalog.standings import Standing
from kb.coverage import age_s, stale
from kb.home import CATALOG, Home
from kb.nouns import Source


def status(connection: Connection, home: Home, daemon: str | None, moment: datetime, keys: Keys = None) -> Status:
    """As it stands at the moment, `daemon` being the address of the one that follows it.

    What tells of hidden documents is left out (sizes are 0, errors None).
    """
    if keys is not None:
        return _seen(connection, home, moment, keys)
    head = snapshots.head(connection)
    stands = standings.listed(connection)
    newest = snapshots.get(connection, head)
    return Status(
        home=str(home.path),
        model=home.config.model,
        daemon=daemon,
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


def _seen(connection: Connection, home: Home, moment: datetime, keys: Keys) -> Status:
    versions = sight.versions(connection, keys)
    newest = snapshots.get(connection, versions[-1]) if versions else None
    quarantine = sight.quarantine_counts(sight.quarantined(connection, None, keys))
    return Status(
        home="",
        model=home.config.model,
        daemon=None,
        head=newest.version if newest else 0,
        committed_at=newest.committed_at if newest else None,
        documents=documents.count_at(connection, newest.version, keys=keys) if newest else 0,
        chunks=0,
        catalog_bytes=0,
        store_bytes=0,
        sources=tuple(
            _seen_source(connection, source, versions, quarantine.get(source.name, {}), moment, keys)
            for source in sight.listed_sources(connection, keys)
        ),
    )


def _seen_source(
    connection: Connection,
    source: Source,
    versions: Sequence[int],
    quarantine: Mapping[str, int],
    moment: datetime,
    keys: Keys,
) -> SourceStatus:
    known = runs.last_success(connection, source.name)
    lag_s = age_s(known, moment)
    published = next((one for one in snapshots.newest(connection, None, source.name) if one.version in versions), None)
    return SourceStatus(
        source=source,
        documents=documents.count_at(connection, versions[-1], source.name, keys) if versions else 0,
        quarantine=quarantine,
        skipped={},
        last_run=known,
        last_error=None,
        last_published=published.committed_at if published else None,
        source_revision=None,
        changed_at=published.committed_at if published else None,
        lag_s=lag_s,
        stale=stale(source.fresh_within, lag_s),
        failures=0,
        circuit="closed",
        guarded=False,
        running_since=None,
        next_run=None,
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
