"""Queries over long lists of keys, cut to what a database takes at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select

from kb.catalog.catalog import Connection

_AT_ONCE = 500


def batches(values: Iterable[str], size: int = _AT_ONCE) -> Iterator[list[str]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch


def batched_in(
    connection: Connection, query: Select[Any], column: ColumnElement[str], values: Iterable[str]
) -> Iterator[RowMapping]:
    """The query's rows in which the column is one of the values."""
    for batch in batches(values):
        yield from connection.execute(query.where(column.in_(batch))).mappings()
