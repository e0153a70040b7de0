"""Every row's entry, in one pass over the database: nothing is held of the rows but keys and stamps."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, pairwise

from sqlalchemy.engine import Connection

from connectors.protocol import Entry
from connectors.sql import watermark
from connectors.sql.database import Database
from connectors.sql.keys import can_be_key, uri_of_key
from connectors.sql.options import SqlOptions
from connectors.sql.relation import Key, Relation, Row
from connectors.sql.stamps import Stamps
from kb.errors import SourceUnavailable

_MARKS = 2000
_WHOLE = 32
"""Rows that are read at a time: whole ones may be large."""

_FEW = 1000
"""So many fresh rows are read by their keys; for more it is quicker to read the whole table."""


class Lister:
    """Lists within one transaction."""

    def __init__(
        self, database: Database, connection: Connection, options: SqlOptions, relation: Relation, stamps: Stamps
    ) -> None:
        self._database = database
        self._connection = connection
        self._options = options
        self._relation = relation
        self._stamps = stamps

    def entries(self) -> tuple[Entry, ...]:
        """In order of their URIs. Raises SourceUnavailable for a key that is NULL or not unique."""
        found = self._by_content() if self._options.updated_at is None else self._by_watermark()
        entries = sorted(found, key=lambda entry: entry.uri)
        for one, other in pairwise(entries):
            if one.uri == other.uri:
                raise self._unfit(f"`{one.uri}` more than once; name the columns that tell rows apart")
        return tuple(entries)

    def _by_content(self) -> Iterator[Entry]:
        for row in self._whole():
            yield Entry(self._uri(row), self._stamps.of_content(row))

    def _by_watermark(self) -> Iterator[Entry]:
        """Those whose watermark does not yet stand for them are read as well."""
        # The clock is read first: what is edited during the listing counts as fresh, never as settled.
        now = self._database.now(self._connection)
        fresh: dict[Key, str] = {}
        for row in self._rows(self._database.batches(self._connection, self._relation.marks(), _MARKS)):
            stamp = self._settled(row, now)
            if stamp is not None:
                yield Entry(self._uri(row), stamp)
            else:
                fresh[row.key] = self._uri(row)
        yield from self._fresh(fresh)

    def _settled(self, row: Row, now: datetime) -> str | None:
        return self._stamps.of_watermark(row) if watermark.settled(row.watermark, now) else None

    def _fresh(self, keys: dict[Key, str]) -> Iterator[Entry]:
        seen = set()
        for row in self._whole() if len(keys) > _FEW else self._with_keys(keys):
            # A collation may hold for equal what are two keys.
            if row.key in keys:
                seen.add(row.key)
                yield Entry(keys[row.key], self._stamps.of_content(row))
        if len(seen) < len(keys):
            raise SourceUnavailable(f"{self._database.subject} changed while it was listed; try again")

    def _whole(self) -> Iterator[Row]:
        return self._rows(self._database.batches(self._connection, self._relation.whole(), _WHOLE))

    def _with_keys(self, keys: Iterable[Key]) -> Iterator[Row]:
        rest = iter(keys)
        while some := list(islice(rest, _WHOLE)):
            statement = self._relation.with_keys([[value] for value in key] for key in some)
            yield from self._rows([self._database.rows(self._connection, statement)])

    def _rows(self, batches: Iterable[Sequence[Sequence[object]]]) -> Iterator[Row]:
        for batch in batches:
            for values in batch:
                yield self._relation.row(values)

    def _uri(self, row: Row) -> str:
        for name, value in zip(self._options.key, row.key, strict=True):
            if value is None:
                raise self._unfit(f"NULL in `{name}`; leave such rows out by `query`, or name another key")
            if not can_be_key(value):
                kind = type(value).__name__
                raise self._unfit(
                    f"a value of the type {kind} in `{name}`; CAST it to text in `query`, or name another key"
                )
        uri = uri_of_key(row.key)
        if not uri:
            raise self._unfit("an empty text, which names nothing; leave such rows out by `query`")
        return uri

    def _unfit(self, holds: str) -> SourceUnavailable:
        return SourceUnavailable(f"{self._database.subject}: its key `{','.join(self._options.key)}` holds {holds}")
