"""The rows that a source is read from, a table's or a query's, and the statements that read them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sql.options import SqlOptions
from connectors.sql.values import plain

Value = sa.ColumnElement[Any]
Key = tuple[object, ...]

_BYTEA = 17
"""PostgreSQL's number for the type of binary values."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's key and watermark, and its contents by column where they were read.

    Contents that are too large to be read are None, their sizes in bytes in `too_large`.
    """

    key: Key
    watermark: object
    contents: Mapping[str, object]
    too_large: Mapping[str, int]


class Relation:
    """A table or query whose columns are known, each with the driver's word for its type."""

    def __init__(self, options: SqlOptions, dialect: str, columns: Mapping[str, Any], max_bytes: int) -> None:
        self._dialect = dialect
        self._types = columns
        self._max_bytes = max_bytes
        self._rows = rows_of(options, columns)
        self._key = [self._rows.c[name] for name in options.key]
        self._watermark = self._rows.c[options.updated_at] if options.updated_at else sa.null()
        wanted = (name for option, name in options.uses if option in ("text", "title", "metadata"))
        self._contents = tuple(dict.fromkeys(wanted))

    def marks(self) -> sa.Select[Any]:
        """Keys and watermarks."""
        return sa.select(*_named([*self._key, self._watermark]))

    def whole(self) -> sa.Select[Any]:
        """All that documents are made of."""
        sizes = [self._size(name) for name in self._contents]
        contents = [_unless_over(self._rows.c[name], size, self._max_bytes) for name, size in self._sized(sizes)]
        known = [sa.null() if size is None else size for size in sizes]
        return sa.select(*_named([*self._key, self._watermark, *contents, *known]))

    def with_keys(self, keys: Iterable[Sequence[Sequence[object]]]) -> sa.Select[Any]:
        """The whole rows of some keys; of each key's column the values that it may have."""
        return self.whole().where(sa.or_(*(self._is(key) for key in keys)))

    def row(self, values: Sequence[object]) -> Row:
        """A row of `marks` or of `whole`."""
        width, count = len(self._key), len(self._contents)
        contents = dict(zip(self._contents, values[width + 1 : width + 1 + count], strict=False))
        sizes = zip(self._contents, values[width + 1 + count :], strict=False)
        return Row(
            key=tuple(plain(value) for value in values[:width]),
            watermark=values[width],
            contents=contents,
            too_large={name: size for name, size in sizes if isinstance(size, int) and size > self._max_bytes},
        )

    def _sized(self, sizes: Sequence[Value | None]) -> Iterable[tuple[str, Value | None]]:
        return zip(self._contents, sizes, strict=True)

    def _size(self, name: str) -> Value | None:
        """A value's size in bytes, told by the database; None where its dialect has no known way to tell it."""
        column = self._rows.c[name]
        match self._dialect:
            case "sqlite":
                return sa.func.length(sa.cast(column, sa.LargeBinary))
            case "postgresql":
                return sa.func.octet_length(column if self._types[name] == _BYTEA else sa.cast(column, sa.Text))
            case "mysql" | "mariadb":
                return sa.func.octet_length(column)
            case _:
                return None

    def _is(self, key: Sequence[Sequence[object]]) -> sa.ColumnElement[bool]:
        columns = zip(self._key, key, strict=True)
        return sa.and_(*(sa.or_(*(column == _bound(value) for value in values)) for column, values in columns))


def rows_of(options: SqlOptions, columns: Iterable[str]) -> sa.FromClause:
    """What stands behind FROM."""
    named: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
    if options.query is None:
        schema, table = options.table_name
        return sa.table(table, *named, schema=schema)
    # A colon would name a parameter. The line end closes a comment at the query's end.
    return sa.text(options.query.replace(":", "\\:") + "\n").columns(*named).subquery("document")


def _named(values: Sequence[Value]) -> list[sa.Label[Any]]:
    # A column may be wanted twice, as key and as text.
    return [value.label(f"c{number}") for number, value in enumerate(values)]


def _unless_over(column: Value, size: Value | None, max_bytes: int) -> Value:
    return column if size is None else sa.case((size > max_bytes, sa.null()), else_=column)


def _bound(value: object) -> Value:
    """As the driver takes it: a type of SQLAlchemy's own choice could differ from the column's."""
    if isinstance(value, Misspelt):
        return sa.cast(sa.literal(value.content, sa.LargeBinary), sa.Text)
    return sa.bindparam(None, value, type_=sa.types.NullType())


@dataclass(frozen=True, slots=True)
class Misspelt:
    """Text of SQLite's that is no UTF-8, which its driver gives and does not take."""

    content: bytes
