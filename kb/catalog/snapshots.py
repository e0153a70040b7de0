"""Snapshots in the catalog, and the digests that chain them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, select

from kb.catalog.catalog import Connection
from kb.catalog.schema import ledger, pipeline, snapshot
from kb.clock import format_instant
from kb.digest import SetDigest, digest
from kb.nouns import ChunkCounts, DocumentCounts, Snapshot

_KEPT = snapshot.c.expired_at.is_(None)
# What every search asks is put together once: that takes as long as the answer.
_HEAD = select(func.max(snapshot.c.version))
_ONE = select(snapshot).where(snapshot.c.version == bindparam("version"), _KEPT)
_EXPIRED = select(func.count()).where(snapshot.c.expired_at.is_not(None))


def head(connection: Connection) -> int:
    """The newest version, 0 before the first. It never expires."""
    return connection.scalar(_HEAD) or 0


def get(connection: Connection, version: int) -> Snapshot | None:
    """A version that is kept; None for one that has expired or never was."""
    row = connection.execute(_ONE, {"version": version}).mappings().first()
    return None if row is None else _snapshot(row)


def newest(
    connection: Connection, limit: int | None, source: str | None = None, before: int | None = None
) -> Sequence[Snapshot]:
    """Those that are kept, newest first; with `before`, only older ones."""
    query = select(snapshot).where(_KEPT).order_by(snapshot.c.version.desc()).limit(limit)
    if source is not None:
        query = query.where(snapshot.c.source == source)
    if before is not None:
        query = query.where(snapshot.c.version < before)
    return [_snapshot(row) for row in connection.execute(query).mappings()]


def latest_of(connection: Connection, source: str) -> Snapshot | None:
    """What a source published last, whether it is kept or not; None for one that never published."""
    query = select(snapshot).where(snapshot.c.source == source).order_by(snapshot.c.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _snapshot(row)


def records(connection: Connection, upto: int) -> Sequence[Snapshot]:
    """All that were ever published, oldest first: those of expired versions, too."""
    query = select(snapshot).where(snapshot.c.version <= upto).order_by(snapshot.c.version)
    return [_snapshot(row) for row in connection.execute(query).mappings()]


def published_by(connection: Connection, moment: datetime) -> int | None:
    """The newest version published at or before the moment, whether it is kept or not."""
    found: int | None = connection.scalar(select(func.max(snapshot.c.version)).where(snapshot.c.committed_at <= moment))
    return found


def kept(connection: Connection) -> list[int]:
    """The versions that answer, in order; the first is the horizon."""
    return list(connection.scalars(select(snapshot.c.version).where(_KEPT).order_by(snapshot.c.version)))


def kept_before(connection: Connection, version: int) -> int | None:
    """The nearest kept version before another."""
    found: int | None = connection.scalar(
        select(func.max(snapshot.c.version)).where(_KEPT, snapshot.c.version < version)
    )
    return found


def kept_from(connection: Connection, version: int) -> Snapshot | None:
    """The first kept version at or after another."""
    query = select(snapshot).where(_KEPT, snapshot.c.version >= version).order_by(snapshot.c.version).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _snapshot(row)


def count_expired(connection: Connection) -> int:
    """How many versions have expired so far: it only ever grows."""
    return connection.scalar(_EXPIRED) or 0


def tokens_total(connection: Connection, version: int) -> int:
    """Analysed tokens of all chunks that live at the version."""
    return connection.scalar(select(snapshot.c.tokens_total).where(snapshot.c.version == version)) or 0


def add(connection: Connection, value: Snapshot, tokens: int) -> None:
    row = {
        field: getattr(value, field)
        for field in (column.name for column in snapshot.columns)
        if not field.startswith(("documents_", "chunks_", "tokens_", "expired_"))
    }
    counts = {f"documents_{key}": number for key, number in asdict(value.documents).items()}
    counts |= {f"chunks_{key}": number for key, number in asdict(value.chunks).items()}
    connection.execute(insert(snapshot).values(**row, **counts, tokens_total=tokens))


def chained_digest(value: Snapshot, parent_digest: str) -> str:
    """The digest that a snapshot must carry: of everything that it states, and of its parent's digest."""
    stated = {key: _plain(part) for key, part in asdict(value).items() if key != "digest"}
    return digest("snapshot", stated, parent_digest)


def read_ledger(connection: Connection) -> tuple[SetDigest, SetDigest]:
    """The head's set digests: of the content, and of the stored rows."""
    row = connection.execute(select(ledger.c.content, ledger.c.rows)).first()
    return (SetDigest(), SetDigest()) if row is None else (SetDigest(row.content), SetDigest(row.rows))


def write_ledger(connection: Connection, content: SetDigest, rows: SetDigest) -> None:
    connection.execute(ledger.delete())
    connection.execute(insert(ledger).values(id=1, content=content.state(), rows=rows.state()))


def add_pipeline(connection: Connection, fingerprint: str, parts: dict[str, Any]) -> None:
    if pipeline_parts(connection, fingerprint) is None:
        connection.execute(insert(pipeline).values(fingerprint=fingerprint, parts=parts))


def pipeline_parts(connection: Connection, fingerprint: str) -> dict[str, Any] | None:
    return connection.scalar(select(pipeline.c.parts).where(pipeline.c.fingerprint == fingerprint))


def pipelines(connection: Connection) -> Sequence[dict[str, Any]]:
    """The parts of every pipeline that ever published."""
    return list(connection.scalars(select(pipeline.c.parts)))


def _plain(part: Any) -> Any:
    return format_instant(part) if isinstance(part, datetime) else part


def _snapshot(row: RowMapping) -> Snapshot:
    def counts(prefix: str, names: Sequence[str]) -> dict[str, int]:
        return {name: row[f"{prefix}_{name}"] for name in names}

    return Snapshot(
        version=row["version"],
        parent=row["parent"],
        committed_at=row["committed_at"],
        source=row["source"],
        source_revision=row["source_revision"],
        source_time=row["source_time"],
        message=row["message"],
        fingerprint=row["fingerprint"],
        documents=DocumentCounts(**counts("documents", ("added", "changed", "removed", "total"))),
        chunks=ChunkCounts(**counts("chunks", ("added", "removed", "embedded", "reused", "total"))),
        content_digest=row["content_digest"],
        rows_digest=row["rows_digest"],
        changes_digest=row["changes_digest"],
        digest=row["digest"],
    )
