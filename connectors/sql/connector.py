"""The connector for a database: each row of a table or a query is a document."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import ClassVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError

from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from connectors.sql import watermark
from connectors.sql.database import Database
from connectors.sql.document import compose
from connectors.sql.failures import telling_line
from connectors.sql.keys import parts_of, read, uri_of_key
from connectors.sql.listing import Lister
from connectors.sql.opening import open_relation
from connectors.sql.options import SqlOptions
from connectors.sql.relation import Misspelt, Relation, Row
from connectors.sql.stamps import stamps
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError

_SQLITE_TYPES = (str, int, float, bytes)


class SqlConnector:
    """Lists every key; stamps are digests of rows, or their watermarks once those are settled."""

    options_type: ClassVar[type[SqlOptions]] = SqlOptions

    def __init__(self, options: SqlOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._options = options
        self._max_bytes = max_bytes
        self._database = Database(options.database, options.timeout_s)
        self._stamps = stamps(options)
        self._relation: Relation | None = None
        self._types: tuple[type, ...] | None = None

    def poll(self, checkpoint: str | None) -> Listing:
        """Always all rows, whatever the checkpoint: what was deleted leaves no trace but its absence."""
        return Listing(self._database.read(self._entries), checkpoint="")

    def fetch(self, entry: Entry) -> Fetched:
        """The row as it is now. `modified_at` is its watermark, where that is a time."""
        row = self._database.read(lambda connection: self._row(connection, entry.uri))
        if row is None:
            raise DocumentGone(f"{entry.uri} is no longer in {self._database.subject}")
        document = compose(self._options, row.contents)
        stamp = self._stamps.now(row, entry.stamp)
        size = max([len(document.content), *row.too_large.values()])
        if size > self._max_bytes:
            raise self._too_large(entry.uri, size, listed=stamp is None)
        moment = watermark.moment(row.watermark)
        return Fetched(
            document.content,
            document.media_type,
            modified_at=moment and moment.astimezone(UTC),
            metadata=document.metadata,
            stamp=stamp,
        )

    def close(self) -> None:
        """Ends the connection; the connector may still be used."""
        self._database.close()

    def _entries(self, connection: Connection) -> tuple[Entry, ...]:
        self._relation = open_relation(self._database, connection, self._options, self._max_bytes)
        return Lister(self._database, connection, self._options, self._relation, self._stamps).entries()

    def _row(self, connection: Connection, uri: str) -> Row | None:
        """None where there is none. Raises DocumentUnavailable."""
        if self._relation is None:
            self._relation = open_relation(self._database, connection, self._options, self._max_bytes)
        key = self._key(connection, self._relation, uri)
        if key is None:
            return None
        try:
            answer = self._database.rows(connection, self._relation.with_keys([key]))
        except DataError as error:
            line = telling_line(self._options.database, error)
            raise DocumentUnavailable(f"{uri} cannot be read from {self._database.subject}: {line}") from error
        # A collation may hold for equal what are two keys.
        rows = [row for row in map(self._relation.row, answer) if uri_of_key(row.key) == uri]
        if len(rows) > 1:
            raise DocumentUnavailable(f"{uri} is several rows in {self._database.subject}; give it a unique key")
        return rows[0] if rows else None

    def _key(self, connection: Connection, relation: Relation, uri: str) -> Sequence[Sequence[object]] | None:
        """For each of the key's columns what may be meant; None where nothing can be."""
        parts = parts_of(uri, len(self._options.key))
        if parts is None:
            return None
        if connection.dialect.name == "sqlite":
            # Any value may stand in any column there.
            return [_meant(part) for part in parts]
        if self._types is None:
            sample = self._database.rows(connection, relation.marks().limit(1))
            self._types = tuple(type(value) for row in sample for value in relation.row(row).key)
        values = [read(part, kind) for part, kind in zip(parts, self._types, strict=False)]
        return None if None in values or not values else [[value] for value in values]

    def _too_large(self, uri: str, size: int, listed: bool) -> ExtractionError | DocumentUnavailable:
        words = f"{uri} has {size:,} bytes, more than the {self._max_bytes:,} allowed"
        # The verdict is remembered with the listed stamp, so it must be of what was listed.
        return ExtractionError("too large", words) if listed else DocumentUnavailable(f"{words}, since it was listed")


def _meant(part: bytes) -> list[object]:
    found = [value for kind in _SQLITE_TYPES if (value := read(part, kind)) is not None]
    return found if isinstance(found[0], str) else [*found, Misspelt(part)]
