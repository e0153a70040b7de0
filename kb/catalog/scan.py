"""What the last poll saw of each document, and what could not be taken in."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update

from kb.batches import batches
from kb.catalog.catalog import Connection
from kb.catalog.schema import entry, quarantine


@dataclass(frozen=True, slots=True)
class Seen:
    """A document as it was last seen. `outcome` is `indexed`, `quarantined` or `skipped`."""

    uri: str
    stamp: str
    content_sha256: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that could not be taken in, and why."""

    source: str
    uri: str
    reason: str
    detail: str
    content_sha256: str | None
    first_seen: datetime
    last_seen: datetime


def seen(connection: Connection, source: str) -> dict[str, Seen]:
    query = select(entry.c.uri, entry.c.stamp, entry.c.content_sha256, entry.c.outcome).where(entry.c.source == source)
    return {row.uri: Seen(*row) for row in connection.execute(query)}


def see(connection: Connection, source: str, values: Sequence[Seen]) -> None:
    """Records the documents as now seen."""
    forget(connection, source, (value.uri for value in values))
    if values:
        connection.execute(entry.insert(), [{"source": source, **asdict(value)} for value in values])


def forget(connection: Connection, source: str, uris: Iterable[str]) -> None:
    for batch in batches(uris):
        connection.execute(delete(entry).where(entry.c.source == source, entry.c.uri.in_(batch)))


def distrust(connection: Connection, source: str, uris: Iterable[str]) -> None:
    """Makes the next sync read these documents again, unless they are recorded as seen before."""
    for batch in batches(uris):
        connection.execute(update(entry).where(entry.c.source == source, entry.c.uri.in_(batch)).values(stamp=""))


def distrust_quarantined(connection: Connection, source: str | None) -> int:
    """Makes the next sync read quarantined documents again; returns how many."""
    query = update(entry).where(entry.c.outcome == "quarantined").values(stamp="")
    if source is not None:
        query = query.where(entry.c.source == source)
    return connection.execute(query).rowcount


def quarantined(connection: Connection, source: str | None = None) -> Sequence[Quarantined]:
    query = select(quarantine).order_by(quarantine.c.source, quarantine.c.uri)
    if source is not None:
        query = query.where(quarantine.c.source == source)
    return [Quarantined(**row) for row in connection.execute(query).mappings()]


def confine(connection: Connection, values: Sequence[Quarantined]) -> None:
    """Puts documents into quarantine; one that is there already keeps the time at which it was first seen."""
    for value in values:
        key = (quarantine.c.source == value.source, quarantine.c.uri == value.uri)
        first_seen = connection.scalar(select(quarantine.c.first_seen).where(*key)) or value.first_seen
        connection.execute(delete(quarantine).where(*key))
        connection.execute(quarantine.insert().values(asdict(value) | {"first_seen": first_seen}))


def release(connection: Connection, source: str, uris: Iterable[str]) -> None:
    for batch in batches(uris):
        connection.execute(delete(quarantine).where(quarantine.c.source == source, quarantine.c.uri.in_(batch)))


def count_by_reason(connection: Connection, source: str) -> dict[str, int]:
    query = select(quarantine.c.reason, func.count()).where(quarantine.c.source == source).group_by(quarantine.c.reason)
    return {row[0]: row[1] for row in connection.execute(query)}
