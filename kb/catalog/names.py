"""Names for versions: tags, and the revisions by which a source knows its own states."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from kb.batches import batches
from kb.catalog.catalog import Connection
from kb.catalog.schema import revision, tag


def tags(connection: Connection) -> dict[str, int]:
    return {row.name: row.version for row in connection.execute(select(tag).order_by(tag.c.version, tag.c.name))}


def tagged(connection: Connection, name: str) -> int | None:
    return connection.scalar(select(tag.c.version).where(tag.c.name == name))


def set_tag(connection: Connection, name: str, version: int, moment: datetime) -> None:
    connection.execute(insert(tag).values(name=name, version=version, created_at=moment))


def delete_tag(connection: Connection, name: str) -> bool:
    return connection.execute(delete(tag).where(tag.c.name == name)).rowcount > 0


def set_revisions(
    connection: Connection, source: str, revisions: Sequence[tuple[str, datetime | None]], version: int
) -> None:
    """Notes that the version holds the source's state at each of the revisions."""
    for batch in batches(name for name, _ in revisions):
        connection.execute(delete(revision).where(revision.c.source == source, revision.c.revision.in_(batch)))
    rows = {name: {"source": source, "revision": name, "time": time, "version": version} for name, time in revisions}
    if rows:
        connection.execute(insert(revision), list(rows.values()))


def by_revision(connection: Connection, source: str, prefix: str) -> Sequence[tuple[str, int]]:
    """Revisions that begin with the prefix, and their versions; three at most."""
    query = select(revision.c.revision, revision.c.version).where(
        revision.c.source == source, revision.c.revision.startswith(prefix, autoescape=True)
    )
    # In order, so that a revision of exactly that name is the first.
    found = connection.execute(query.order_by(revision.c.revision).limit(3))
    return [(row.revision, row.version) for row in found]


def by_time(connection: Connection, source: str, moment: datetime) -> int | None:
    """The version of the source's newest state at or before a moment of the source's own time."""
    query = select(revision.c.version).where(revision.c.source == source, revision.c.time <= moment)
    return connection.scalar(query.order_by(revision.c.time.desc(), revision.c.version.desc()).limit(1))
