"""The request log and the feedback in the catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, not_, select

from kb.catalog.catalog import Connection
from kb.catalog.service_schema import feedback, request
from kb.requests import Feedback, LoggedHit, LoggedRequest


def add(connection: Connection, values: Sequence[LoggedRequest]) -> None:
    connection.execute(insert(request), [_row(value) for value in values])


def get(connection: Connection, request_id: str, caller: str | None) -> LoggedRequest | None:
    """None also for another's than the caller's own; a caller of None may have any."""
    query = select(request).where(request.c.request_id == request_id)
    row = connection.execute(query if caller is None else query.where(request.c.caller == caller)).mappings().first()
    return None if row is None else _logged(row)


def prune(connection: Connection, before: datetime) -> None:
    """Forgets what was asked before a moment; what somebody said something of is kept for evaluation."""
    judged = exists().where(feedback.c.request_id == request.c.request_id)
    connection.execute(delete(request).where(request.c.asked_at < before, not_(judged)))


def say(connection: Connection, value: Feedback) -> None:
    connection.execute(insert(feedback).values(asdict(value)))


def said(connection: Connection, caller: str | None) -> list[Feedback]:
    """Oldest first; of one caller, or of all."""
    columns = [column for column in feedback.columns if column.name != "id"]
    query = select(*columns).order_by(feedback.c.id)
    rows = connection.execute(query if caller is None else query.where(feedback.c.caller == caller)).mappings()
    return [Feedback(**row) for row in rows]


def _row(value: LoggedRequest) -> dict[str, Any]:
    return {**_fields(value), "settings": dict(value.settings), "hits": [_fields(hit) for hit in value.hits]}


def _fields(value: LoggedRequest | LoggedHit) -> dict[str, Any]:
    # To copy all that is in them, as `asdict` does, takes a fifth of the time that logging takes.
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _logged(row: Mapping[Any, Any]) -> LoggedRequest:
    groups = None if row["groups"] is None else tuple(row["groups"])
    return LoggedRequest(**{**row, "groups": groups, "hits": tuple(LoggedHit(**hit) for hit in row["hits"])})
