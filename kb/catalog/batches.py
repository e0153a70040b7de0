"""Queries over long lists of keys."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select

from kb.batches import batches
from kb.catalog.catalog import Connection


def batched_in(
    connection: Connection, query: Select[Any], column: ColumnElement[str], values: Iterable[str]
) -> Iterator[RowMapping]:
    """The query's rows in which the column is one of the values."""
    for batch in batches(values):
        yield from connection.execute(query.where(column.in_(batch))).mappings()
