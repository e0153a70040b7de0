"""A JSON object as a table: of a column, or of values that are inserted or asked for at once."""

from sqlalchemy import ColumnElement, TableValuedAlias, func

from kb.catalog.catalog import Connection


def pairs(connection: Connection, value: ColumnElement[object]) -> TableValuedAlias:
    """Its keys and values, as text, in columns of these names."""
    each = func.json_each if connection.dialect.name == "sqlite" else func.json_each_text
    return each(value).table_valued("key", "value")
