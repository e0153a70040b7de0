"""Documents' versions and their life spans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from kb.access import Keys
from kb.catalog import access
from kb.catalog.batches import batched_in
from kb.catalog.catalog import Connection
from kb.catalog.pairs import pairs
from kb.catalog.schema import document, snapshot
from kb.clock import format_instant
from kb.digest import digest
from kb.nouns import FOREVER, DocumentVersion

_FACTS: Final = tuple(fact.name for fact in fields(DocumentVersion))


def at(
    connection: Connection,
    version: int,
    source: str | None = None,
    keys: Keys = None,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Iterator[DocumentVersion]:
    """Every document that lives at the version and that the keys open, by source and URI.

    With `after`, those behind that source and URI.
    """
    query = select(document).where(_lives(version), _seen(connection, keys))
    query = query.order_by(document.c.source, document.c.uri).limit(limit)
    if source is not None:
        query = query.where(document.c.source == source)
    if after is not None:
        further = and_(document.c.source == after[0], document.c.uri > after[1])
        query = query.where(or_(document.c.source > after[0], further))
    for row in connection.execute(query).mappings():
        yield DocumentVersion(**row)


def some_at(connection: Connection, version: int, ids: Iterable[str]) -> dict[str, DocumentVersion]:
    """Those of the named documents that live at the version, by id."""
    query = select(document).where(_lives(version))
    rows = batched_in(connection, query, document.c.document_id, ids)
    return {row["document_id"]: DocumentVersion(**row) for row in rows}


def by_modification(
    connection: Connection, version: int, after: datetime | None, before: datetime | None
) -> tuple[bool, list[str]]:
    """True and the ids of the documents at the version that were modified within [after, before), or False and the ids
    of all others there: whichever are fewer. What does not tell its time is among the others.
    """
    bounds = ([document.c.modified_at >= after] if after else []) + (
        [document.c.modified_at < before] if before else []
    )
    within = func.coalesce(and_(true(), *bounds), false())
    counted = select(func.count(), func.sum(case((within, 1), else_=0))).where(_lives(version))
    total, found = connection.execute(counted).one()
    fewer = 2 * (found or 0) <= total
    ids = select(document.c.document_id).where(_lives(version), within if fewer else not_(within))
    return fewer, list(connection.scalars(ids))


def count_at(connection: Connection, version: int, source: str | None = None, keys: Keys = None) -> int:
    query = select(func.count()).select_from(document).where(_lives(version), _seen(connection, keys))
    if source is not None:
        query = query.where(document.c.source == source)
    return connection.scalar(query) or 0


def history(connection: Connection, document_id: str, keys: Keys = None) -> Sequence[DocumentVersion]:
    """All versions of one document that live at a kept version, oldest first; none where the keys do not open it."""
    own = (document.c.document_id == document_id, _needed(), _seen(connection, keys))
    query = select(document).where(*own).order_by(document.c.since)
    return [DocumentVersion(**row) for row in connection.execute(query).mappings()]


def ids_by_prefix(connection: Connection, prefix: str, keys: Keys = None) -> Sequence[str]:
    begins = document.c.document_id.startswith(prefix, autoescape=True)
    query = select(document.c.document_id).where(begins, _needed(), _seen(connection, keys)).distinct()
    return list(connection.scalars(query.limit(3)))


def touched(connection: Connection, after: int, upto: int, keys: Keys = None) -> Sequence[DocumentVersion]:
    """Document versions that the keys open and that began or ended in the versions (after, upto]."""
    within = or_(_between(document.c.since, after, upto), _between(document.c.until, after, upto))
    query = (
        select(document)
        .where(within, _seen(connection, keys))
        .order_by(document.c.source, document.c.uri, document.c.since)
    )
    return [DocumentVersion(**row) for row in connection.execute(query).mappings()]


def last_event(connection: Connection, upto: int, keys: Keys) -> int:
    """The newest version up to one in which a document that the keys open began or ended; 0 where none did."""
    found = [0]
    for end in (document.c.since, document.c.until):
        # By the index, and no further than to the first that is open.
        query = select(end).where(end <= upto, _seen(connection, keys)).order_by(end.desc()).limit(1)
        found.append(connection.scalar(query) or 0)
    return max(found)


def events(connection: Connection, keys: Keys) -> set[int]:
    """The versions in which a document that the keys open began or ended."""
    found: set[int] = set()
    for end in (document.c.since, document.c.until):
        query = select(end).where(end < FOREVER, _seen(connection, keys)).distinct()
        found.update(connection.scalars(query))
    return found


def sources_of(connection: Connection, keys: Keys) -> set[str]:
    """The names of all sources of which a kept version holds a document that the keys open."""
    query = select(document.c.source).where(_needed(), _seen(connection, keys)).distinct()
    return set(connection.scalars(query))


def any_of_source(connection: Connection, source: str, keys: Keys) -> bool:
    """Whether a kept version holds a document of the source that the keys open."""
    query = select(document.c.document_id).where(document.c.source == source, _needed(), _seen(connection, keys))
    return connection.scalar(query.limit(1)) is not None


def open_ids(connection: Connection, ids: Iterable[str], keys: Keys) -> set[str]:
    """Those of the documents that a kept version holds and that the keys open."""
    query = select(document.c.document_id).where(_needed(), _seen(connection, keys)).distinct()
    return {row["document_id"] for row in batched_in(connection, query, document.c.document_id, ids)}


def metadata_keys(connection: Connection, keys: Keys) -> set[str]:
    """What the metadata of the documents that the keys open are called."""
    held = pairs(connection, document.c.metadata)
    query = select(held.c.key).select_from(document.join(held, true())).where(_seen(connection, keys)).distinct()
    return set(connection.scalars(query))


def every(connection: Connection) -> Iterator[DocumentVersion]:
    for row in connection.execute(select(document).order_by(document.c.since)).mappings():
        yield DocumentVersion(**row)


def spans(connection: Connection) -> list[tuple[str, int, int]]:
    """The layout, `since` and `until` of every document version."""
    query = select(document.c.layout, document.c.since, document.c.until)
    return [(row.layout, row.since, row.until) for row in connection.execute(query)]


def contents(connection: Connection) -> set[str]:
    """The SHA-256 of every document version's bytes."""
    return set(connection.scalars(select(document.c.content_sha256).distinct()))


def open_versions(connection: Connection, versions: Sequence[DocumentVersion]) -> None:
    if versions:
        connection.execute(insert(document), [_record(value) for value in versions])


def drop_unneeded(connection: Connection) -> None:
    """Drops those that live at no kept version."""
    connection.execute(delete(document).where(~_needed()))


def close_versions(connection: Connection, closed: Sequence[DocumentVersion], until: int) -> None:
    if closed:
        ends = (
            update(document)
            .where(document.c.document_id == bindparam("id"), document.c.since == bindparam("from"))
            .values(until=until)
        )
        connection.execute(ends, [{"id": value.document_id, "from": value.since} for value in closed])


def changes_digest(opened: Iterable[DocumentVersion], closed: Iterable[DocumentVersion]) -> str:
    """Digest of what a snapshot changed: whole records of what it opened, identities of what it closed."""
    return digest(
        "changes",
        sorted((_canonical(value) for value in opened), key=lambda record: str(record["document_id"])),
        sorted((value.document_id, value.since) for value in closed),
    )


def _record(value: DocumentVersion) -> dict[str, Any]:
    # `asdict` copies each value, too: ten times as long, of a publish of many documents a twentieth.
    return {name: getattr(value, name) for name in _FACTS}


def _canonical(value: DocumentVersion) -> dict[str, Any]:
    modified = None if value.modified_at is None else format_instant(value.modified_at)
    return {**_record(value), "until": FOREVER, "modified_at": modified}


def _seen(connection: Connection, keys: Keys) -> ColumnElement[bool]:
    return access.seen(connection, document.c.document_id, keys)


def _lives(version: int) -> ColumnElement[bool]:
    return and_(document.c.since <= version, document.c.until > version)


def _needed() -> ColumnElement[bool]:
    lives = and_(snapshot.c.version >= document.c.since, snapshot.c.version < document.c.until)
    return exists().where(snapshot.c.expired_at.is_(None), lives)


def _between(column: ColumnElement[int], after: int, upto: int) -> ColumnElement[bool]:
    return and_(column > after, column <= upto)
