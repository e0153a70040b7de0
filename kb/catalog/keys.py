"""Callers' keys in the catalog."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from kb.catalog.catalog import Connection
from kb.catalog.service_schema import api_key
from kb.keys import Key

_FACTS = [column for column in api_key.columns if column.name != "digest"]


def add(connection: Connection, value: Key, digest: str) -> None:
    facts = {column.name: getattr(value, column.name) for column in _FACTS}
    connection.execute(insert(api_key).values(**facts, digest=digest))


def named(connection: Connection, name: str) -> Key | None:
    row = connection.execute(select(*_FACTS).where(api_key.c.name == name)).mappings().first()
    return None if row is None else _key(row)


def listed(connection: Connection) -> list[Key]:
    return [_key(row) for row in connection.execute(select(*_FACTS).order_by(api_key.c.name)).mappings()]


def secret_of(connection: Connection, key_id: str) -> tuple[Key, str] | None:
    """The key, and the digest of its token."""
    row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).mappings().first()
    return None if row is None else (_key(row), row["digest"])


def any_there(connection: Connection) -> bool:
    return connection.scalar(select(api_key.c.key_id).limit(1)) is not None


def use(connection: Connection, key_id: str, moment: datetime) -> None:
    connection.execute(update(api_key).where(api_key.c.key_id == key_id).values(last_used_at=moment))


def remove(connection: Connection, name: str) -> bool:
    return connection.execute(delete(api_key).where(api_key.c.name == name)).rowcount > 0


def _key(row: Mapping[Any, Any]) -> Key:
    facts = {column.name: row[column.name] for column in _FACTS}
    return Key(**facts | {"groups": None if row["groups"] is None else tuple(row["groups"])})
