"""A database that a test may write to, and connectors that read it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.sql import SqlConnector, SqlOptions


class Shop:
    """`execute` writes to the database; connectors read its table `page`, unless they are told otherwise."""

    def __init__(self, url: str, execute: Callable[..., Any]) -> None:
        self.url = url
        self.execute = execute
        self.made: list[SqlConnector] = []

    def fill(self, types: str, *rows: str) -> None:
        """Makes the table of these columns and rows, both as SQL has them."""
        self.execute(f"CREATE TABLE page ({types})")
        for row in rows:
            self.execute(f"INSERT INTO page VALUES ({row})")

    def connector(self, *, max_bytes: int = 2**20, **options: Any) -> SqlConnector:
        given = {"url": self.url, "key": ("id",), "text": ("body",), "timeout_s": 10.0, **options}
        if "query" not in given:
            given.setdefault("table", "page")
        self.made.append(SqlConnector(SqlOptions(**given), workspace=Path("unused"), max_bytes=max_bytes))
        return self.made[-1]

    def contents(self, **options: Any) -> dict[str, bytes]:
        """All that a new connector finds."""
        connector = self.connector(**options)
        return {entry.uri: connector.fetch(entry).content for entry in connector.poll(None).entries}

    def close(self) -> None:
        for connector in self.made:
            connector.close()
