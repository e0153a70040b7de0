"""Who may see which document now: what its source says of it, what holds, and whether its rows have it yet.

A change is noted here before the rows are touched and marked as applied afterwards: whatever stops in between is found.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, bindparam, column, delete, exists, func, insert, not_, select, true, update

from kb.access import EVERYONE, Groups, Keys
from kb.batches import batches
from kb.catalog.batches import batched_in
from kb.catalog.catalog import Connection
from kb.catalog.schema import document, document_access

Key = document_access.c.document_id


@dataclass(frozen=True, slots=True)
class Permission:
    """`own` is what the source says of the document itself, None where nothing; `groups` is what its rows hold."""

    document_id: str
    own: Groups | None = None
    groups: Groups = EVERYONE


Change = tuple[Permission, Permission]
"""What holds, and what is to hold."""


def seen(connection: Connection, document_id: ColumnElement[str], keys: Keys) -> ColumnElement[bool]:
    """The condition of the documents that the keys open, by what is to hold, whether or not the rows have it yet."""
    if keys is None:
        return true()
    # Of a table whose columns are not the outer query's, wherever that one names the same table.
    lists = document_access.alias()
    sqlite = connection.dialect.name == "sqlite"
    each = func.json_each(lists.c.groups) if sqlite else func.json_array_elements_text(lists.c.groups)
    opens = exists(select(1).select_from(each.table_valued("value")).where(column("value").in_(keys)))
    return not_(exists(select(1).where(lists.c.document_id == document_id, not_(opens))))


def closing(connection: Connection, keys: Keys) -> list[str]:
    """Documents that are to be closed to the keys by a change that may not have reached the rows yet."""
    if keys is None:
        return []
    query = select(Key).where(document_access.c.applied.is_(False), not_(seen(connection, Key, keys)))
    return list(connection.scalars(query))


def closed(connection: Connection, ids: Iterable[str], keys: Keys) -> set[str]:
    """Those of the documents that the keys do not open, whether or not any version of them is left."""
    query = select(Key).where(not_(seen(connection, Key, keys)))
    return {row["document_id"] for row in batched_in(connection, query, Key, ids)}


def recorded(connection: Connection, ids: Iterable[str]) -> dict[str, Permission]:
    """Those of the documents about whom anything was ever said."""
    rows = batched_in(connection, select(document_access), Key, ids)
    return {row["document_id"]: _permission(row["document_id"], row["own"], row["groups"]) for row in rows}


def of_source(connection: Connection, source: str, unsaid: bool) -> list[Permission]:
    """Those of every document that the source ever had; with `unsaid` also those of whom nothing was ever said."""
    query = (
        select(document.c.document_id, document_access.c.own, document_access.c.groups)
        .join(document_access, Key == document.c.document_id, isouter=unsaid)
        .where(document.c.source == source)
    )
    # Not in the database: JSON has no equality everywhere.
    return list({row.document_id: _permission(*row) for row in connection.execute(query)}.values())


def intend(connection: Connection, changes: Sequence[Change]) -> None:
    """Notes what is to hold; where rows must change for it, it counts as not applied until `settle`."""
    for batch in batches(after.document_id for _, after in changes):
        connection.execute(delete(document_access).where(Key.in_(batch)))
    if changes:
        rows = [{**asdict(after), "applied": before.groups == after.groups} for before, after in changes]
        connection.execute(insert(document_access), rows)


def unsettled(connection: Connection) -> list[Permission]:
    """What was noted and may not have reached the rows."""
    query = select(Key, document_access.c.own, document_access.c.groups).where(document_access.c.applied.is_(False))
    return [_permission(*row) for row in connection.execute(query)]


def in_force(connection: Connection) -> dict[str, Groups | None]:
    """What the rows of each document hold of which anything was ever said; None while a change is on its way."""
    query = select(Key, document_access.c.groups, document_access.c.applied)
    return {row.document_id: tuple(row.groups) if row.applied else None for row in connection.execute(query)}


def settle(connection: Connection, permissions: Sequence[Permission]) -> None:
    """The rows hold it."""
    if permissions:
        applied = update(document_access).where(Key == bindparam("id")).values(applied=True)
        connection.execute(applied, [{"id": one.document_id} for one in permissions])


def _permission(document_id: str, own: Sequence[str] | None, groups: Sequence[str] | None) -> Permission:
    return Permission(document_id, None if own is None else tuple(own), EVERYONE if groups is None else tuple(groups))
