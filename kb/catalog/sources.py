"""Sources: what is configured, and up to where each was read."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from kb.catalog.catalog import Connection
from kb.catalog.schema import entry, quarantine, source, standing
from kb.errors import NotFound
from kb.nouns import Source


def listed(connection: Connection) -> Sequence[Source]:
    return [_source(row) for row in connection.execute(select(source).order_by(source.c.name)).mappings()]


def get(connection: Connection, name: str) -> Source | None:
    row = connection.execute(select(source).where(source.c.name == name)).mappings().first()
    return None if row is None else _source(row)


def require(connection: Connection, name: str) -> Source:
    """Raises NotFound, naming those there are."""
    found = get(connection, name)
    if found is None:
        raise unknown(name, (source.name for source in listed(connection)))
    return found


def unknown(name: str, known: Iterable[str]) -> NotFound:
    """The error of a name that is no source's; `known` are those that its reader may know of."""
    return NotFound(f"there is no source {name!r}; known: {', '.join(known) or 'none yet'}")


def add(connection: Connection, value: Source) -> None:
    facts = {field.name: getattr(value, field.name) for field in fields(Source)}
    connection.execute(insert(source).values(**facts | {"options": dict(value.options)}))


def change(connection: Connection, name: str, **values: Any) -> None:
    """Changes settings. The checkpoint stays: a connector notices by it that it is asked for other documents."""
    connection.execute(update(source).where(source.c.name == name).values(**values))


def remove(connection: Connection, name: str) -> None:
    """Forgets the source's settings and what was seen of it; published documents stay."""
    for table in (source, entry, quarantine, standing):
        key = table.c.name if table is source else table.c.source
        connection.execute(delete(table).where(key == name))


def position(connection: Connection, name: str) -> tuple[str | None, str | None]:
    """The checkpoint up to which the source was read, and the fingerprint of the pipeline that read it."""
    row = connection.execute(select(source.c.checkpoint, source.c.fingerprint).where(source.c.name == name)).first()
    return (None, None) if row is None else (row.checkpoint, row.fingerprint)


def move(connection: Connection, name: str, checkpoint: str, fingerprint: str) -> None:
    connection.execute(
        update(source).where(source.c.name == name).values(checkpoint=checkpoint, fingerprint=fingerprint)
    )


def trust(connection: Connection, old: str, new: str) -> None:
    """What was read by the old pipeline counts as read by the new one."""
    connection.execute(update(source).where(source.c.fingerprint == old).values(fingerprint=new))


def _source(row: RowMapping) -> Source:
    facts = {field.name: row[field.name] for field in fields(Source)}
    return Source(**facts | {"access": None if row["access"] is None else tuple(row["access"])})
