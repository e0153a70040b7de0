"""What each sync of a source did."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, insert, select

from kb.catalog.catalog import Connection
from kb.catalog.schema import run
from kb.catalog.schema import source as sources

_KEPT: Final = 1_000
_SWEEP: Final = 50


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


@dataclass(frozen=True, slots=True)
class Target:
    """How fresh a source should be, who may see it, and as of when it is known; None where it was never read."""

    source: str
    access: tuple[str, ...] | None
    fresh_within: str
    known: datetime | None


_RAN = (
    select(run.c.started_at).where(run.c.source == sources.c.name, run.c.succeeded).order_by(run.c.id.desc()).limit(1)
)
# Put together once, for every search asks it.
_TARGETS = (
    select(sources.c.name, sources.c.access, sources.c.fresh_within, _RAN.scalar_subquery())
    .where(sources.c.fresh_within.is_not(None))
    .order_by(sources.c.name)
)


def add(connection: Connection, value: Run) -> None:
    """Now and then older ones go that changed nothing: a daemon adds one for every look."""
    added = connection.execute(insert(run).values(asdict(value))).inserted_primary_key
    if added is not None and added[0] % _SWEEP == 0:
        _thin(connection, value.source)


def _thin(connection: Connection, source: str) -> None:
    own = select(run.c.id).where(run.c.source == source)
    oldest = connection.scalar(own.order_by(run.c.id.desc()).offset(_KEPT).limit(1))
    if oldest is None:
        return
    success = connection.scalar(own.where(run.c.succeeded).order_by(run.c.id.desc()).limit(1))
    idle = (run.c.source == source, run.c.id <= oldest, run.c.published == 0, run.c.embedded == 0)
    connection.execute(delete(run).where(*idle, run.c.id != (success or 0)))


def last(connection: Connection, source: str) -> Run | None:
    query = select(run).where(run.c.source == source).order_by(run.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else Run(**{key: value for key, value in row.items() if key != "id"})


def last_success(connection: Connection, source: str) -> datetime | None:
    """When the last run that succeeded began: by then, all that the source held was known."""
    query = select(run.c.started_at).where(run.c.source == source, run.c.succeeded).order_by(run.c.id.desc()).limit(1)
    found: datetime | None = connection.scalar(query)
    return found


def targets(connection: Connection) -> list[Target]:
    """All sources with a freshness target, by name."""
    rows = connection.execute(_TARGETS)
    return [Target(name, None if access is None else tuple(access), *rest) for name, access, *rest in rows]


def embedding_rate(connection: Connection) -> float | None:
    """Chunks embedded a second over the last runs that embedded any; None before the first."""
    recent = select(run.c.embedded, run.c.embed_seconds).where(run.c.embedded > 0).order_by(run.c.id.desc()).limit(20)
    rows = recent.subquery()
    chunks, seconds = connection.execute(select(func.sum(rows.c.embedded), func.sum(rows.c.embed_seconds))).one()
    return chunks / seconds if seconds else None
