"""Finding the table or query and its columns, or saying which of them is missing and what was meant."""

import difflib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.options import nearest
from connectors.sql.database import Database
from connectors.sql.options import SqlOptions
from connectors.sql.relation import Relation, rows_of
from kb.errors import SourceUnavailable

_MANY = 20
"""More names than these tell nobody anything."""


def open_relation(database: Database, connection: Connection, options: SqlOptions, max_bytes: int) -> Relation:
    """Raises SourceUnavailable for a missing table or column."""
    if options.query is None:
        _require_table(database, connection, options)
    columns = _columns(database, connection, options)
    names = [name for name, _ in columns]
    what = "the query" if options.query else f"table `{options.table}`"
    for option, name in options.uses:
        _require_column(f"{database.subject}: {what}", option, name, names)
    return Relation(options, connection.dialect.name, dict(columns), max_bytes)


def _columns(database: Database, connection: Connection, options: SqlOptions) -> Sequence[tuple[str, Any]]:
    """Names with the driver's words for their types, told by an answer without rows."""
    probe: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(rows_of(options, ())).where(sa.false())
    with database.in_time():
        result = connection.execute(probe)
        description = result.cursor.description if result.cursor else ()
        columns = list(zip(result.keys(), (column[1] for column in description), strict=True))
        result.close()
    return columns


def _require_table(database: Database, connection: Connection, options: SqlOptions) -> None:
    schema, table = options.table_name
    with database.in_time():
        inspector = sa.inspect(connection)
        if inspector.has_table(table, schema=schema):
            return
        if schema is not None and schema not in (schemas := inspector.get_schema_names()):
            raise SourceUnavailable(f"{database.subject} has no schema `{schema}`; {_near(schema, schemas, 'schemas')}")
        tables = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    raise SourceUnavailable(f"{database.subject} has no table `{options.table}`; {_near(table, tables, 'tables')}")


def _require_column(subject: str, option: str, name: str, names: Sequence[str]) -> None:
    if names.count(name) > 1:
        raise SourceUnavailable(
            f"{subject} has several columns `{name}`, which `{option}` names; tell them apart by AS"
        )
    if name not in names:
        hint = _near(name, names, "columns")
        raise SourceUnavailable(f"{subject} has no column `{name}`, which `{option}` names; {hint}")


def _near(name: str, known: Sequence[str], title: str) -> str:
    """As `nearest`, where the same letters in another size are the nearest of all; a long list is cut."""
    same = [each for each in known if each.casefold() == name.casefold()]
    if same:
        return f"did you mean `{same[0]}`?"
    if len(known) > _MANY:
        close = difflib.get_close_matches(name, known, _MANY, 0.0)
        return nearest(name, close, f"the nearest of its {len(known)} {title}")
    return nearest(name, known, f"its {title}")
