"""What each sync of a source did."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from kb.catalog.catalog import Connection
from kb.catalog.schema import run


@dataclass(frozen=True, slots=True)
class Run:
    """One sync of one source. `skipped` counts what was left out on purpose, by kind."""

    source: str
    started_at: datetime
    ended_at: datetime
    succeeded: bool
    error: str | None
    published: int
    skipped: Mapping[str, int]
    embedded: int
    embed_seconds: float


def add(connection: Connection, value: Run) -> None:
    connection.execute(insert(run).values(asdict(value)))


def last(connection: Connection, source: str) -> Run | None:
    query = select(run).where(run.c.source == source).order_by(run.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else Run(**{key: value for key, value in row.items() if key != "id"})


def last_success(connection: Connection, source: str) -> datetime | None:
    """When the last run that succeeded began: by then, all that the source held was known."""
    query = select(run.c.started_at).where(run.c.source == source, run.c.succeeded).order_by(run.c.id.desc()).limit(1)
    found: datetime | None = connection.scalar(query)
    return found


def embedding_rate(connection: Connection) -> float | None:
    """Chunks embedded a second over the last runs that embedded any; None before the first."""
    recent = select(run.c.embedded, run.c.embed_seconds).where(run.c.embedded > 0).order_by(run.c.id.desc()).limit(20)
    rows = recent.subquery()
    chunks, seconds = connection.execute(select(func.sum(rows.c.embedded), func.sum(rows.c.embed_seconds))).one()
    return chunks / seconds if seconds else None
