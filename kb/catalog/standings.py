"""How each source stands with the daemon that follows it: failures, circuit, what comes next."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from kb.catalog.catalog import Connection
from kb.catalog.schema import standing


@dataclass(frozen=True, slots=True)
class Standing:
    """`failures` counts those in a row; the circuit is open from `opened_at` on, until a try succeeds."""

    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    """When it is tried again after a failure."""
    next_at: datetime | None = None
    """When it is looked at by its schedule."""
    running_since: datetime | None = None
    changed_at: datetime | None = None
    """When a change was last seen at the source."""
    guarded: bool = False
    """Whether the guard against deletions stopped the last sync."""


def listed(connection: Connection) -> dict[str, Standing]:
    """By the source's name; one that was never followed is not among them."""
    rows = connection.execute(select(standing)).mappings()
    return {row["source"]: Standing(**{key: row[key] for key in row if key != "source"}) for row in rows}


def put(connection: Connection, source: str, value: Standing) -> None:
    remove(connection, [source])
    connection.execute(insert(standing).values(source=source, **asdict(value)))


def remove(connection: Connection, names: Iterable[str]) -> None:
    connection.execute(delete(standing).where(standing.c.source.in_(list(names))))
