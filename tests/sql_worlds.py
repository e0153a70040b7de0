"""Sources of the kind `sql` for the connectors' contract: a table of names and contents, both binary."""

import sqlite3
import uuid
from pathlib import Path
from typing import Any, ClassVar

from postgres_support import Cluster

from connectors.sql import SqlConnector, SqlOptions
from connectors.uri import uri_of


class SqliteWorld:
    """A file with one table; a row's name and content are what a file's would be."""

    needs: ClassVar[str | None] = None
    table = "document"
    types = "name BLOB PRIMARY KEY, content BLOB, edited TEXT"
    now = "CURRENT_TIMESTAMP"
    mark = "?"
    updated_at: ClassVar[str | None] = None

    def holds(self, name: bytes) -> bool:
        """Any name can be a row's."""
        return True

    def uri(self, name: bytes) -> str:
        return uri_of(name)

    def close(self) -> None:
        self.connection.close()

    def __init__(self, place: Path) -> None:
        self.place = place
        self.prepare()
        self.execute(f"CREATE TABLE {self.table} ({self.types})")

    def prepare(self) -> None:
        self.connection = sqlite3.connect(self.place / "source.db", isolation_level=None)
        self.url = f"sqlite:///{self.place / 'source.db'}"

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self.connection.execute(statement, values)

    def connector(self) -> SqlConnector:
        options = SqlOptions(
            self.url, key=("name",), text=("content",), table=self.table, updated_at=self.updated_at, timeout_s=10
        )
        return SqlConnector(options, workspace=self.place)

    def write(self, name: bytes, content: bytes) -> None:
        self.execute(
            f"INSERT INTO {self.table} VALUES ({self.mark}, {self.mark}, {self.now}) "
            f"ON CONFLICT (name) DO UPDATE SET content = excluded.content, edited = excluded.edited",
            (name, content),
        )

    def delete(self, name: bytes) -> None:
        self.execute(f"DELETE FROM {self.table} WHERE name = {self.mark}", (name,))

    def save(self) -> None: ...

    def break_down(self) -> None:
        self.execute(f"ALTER TABLE {self.table} RENAME TO away")

    def mend(self) -> None:
        self.execute(f"ALTER TABLE {self.table.replace('document', 'away')} RENAME TO document")


class SqliteWatermarkWorld(SqliteWorld):
    """Its watermarks tick by the second, and most edits here come within one."""

    updated_at = "edited"


class PostgresWorld(SqliteWorld):
    """A table in a schema of its own."""

    needs = "postgres"
    types = "name bytea PRIMARY KEY, content bytea, edited timestamptz"
    mark = "%s"

    def __init__(self, place: Path, postgres: Cluster) -> None:
        self.postgres = postgres
        super().__init__(place)

    def prepare(self) -> None:
        schema = f"world_{uuid.uuid4().hex}"
        self.table = f"{schema}.document"
        self.url = self.postgres.url()
        self.execute(f"CREATE SCHEMA {schema}")

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self.postgres.execute(statement, values)

    def close(self) -> None: ...


class PostgresWatermarkWorld(PostgresWorld):
    """Its watermarks are dates, so that all edits here have the same."""

    types = "name bytea PRIMARY KEY, content bytea, edited date"
    updated_at = "edited"


SQL_WORLDS = [SqliteWorld, SqliteWatermarkWorld, PostgresWorld, PostgresWatermarkWorld]
