"""A push source's spool: what was pushed, in one SQLite database, durable before anything is said of it.

The database holds the contents, too: so a change is in it wholly or not at all, and what is replaced goes in the same
transaction.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.protocol import Fetched
from connectors.push.database import Database
from kb.clock import format_instant, now, parse_instant
from kb.digest import digest
from kb.errors import Conflict, DocumentGone, ExtractionError, UsageError
from kb.pushing import Change, Delete, Outcome, Pushed, Put, Receipt, check, check_key

KEPT: Final = timedelta(hours=24)
"""How long idempotency keys are remembered."""
MOST_KEYS: Final = 100_000
MOST_CHANGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """All that a spool holds: the number and the moment of its newest change, and each document's stamp, by URI."""

    sequence: int
    changed_at: datetime | None
    stamps: Mapping[str, str]


class Spool:
    """Lives in a directory of its own; any number of processes may use it at once."""

    def __init__(self, directory: Path, max_bytes: int, clock: Callable[[], datetime] = now) -> None:
        self._database = Database(directory.absolute())
        self.bell = directory.absolute() / "changed"
        """A file that is touched after each change, so that whoever follows the spool need not watch the database."""
        self._max_bytes = max_bytes
        self._clock = clock

    def create(self) -> None:
        """Makes it, empty; there must be none."""
        self._database.create()

    def discard(self) -> None:
        """Removes it with all that it holds."""
        self._database.discard()

    def take(self, changes: Iterable[Change], key: str | None = None) -> Receipt:
        """Makes all the changes or none, and returns once they are on the disk.

        The changes are drawn one by one while the spool is locked. Raises UsageError for what cannot be taken,
        Conflict where the key came with other content, Unwritable, SourceUnavailable where the spool is lost.
        """
        receipt = self._take(changes, key)
        # Missed, it costs delay: the spool is looked at by schedule, too.
        with suppress(OSError):
            self.bell.touch()
        return receipt

    def _take(self, changes: Iterable[Change], key: str | None) -> Receipt:
        check_key(key)
        with self._database.writing() as connection:
            pushed, digests = [], []
            for change in self._checked(changes):
                digests.append(change.digest)
                outcome = _apply(connection, change, digests[-1], format_instant(self._clock()))
                pushed.append(Pushed(change.uri, outcome))
            receipt = Receipt(_sequence(connection), tuple(pushed))
            return receipt if key is None else self._remembered(connection, key, digest(digests), receipt)

    def held(self) -> Held:
        """Stamps are in order of their URIs, and none ever comes again, not even in a spool that was set back."""
        query = "SELECT uri, sequence || '-' || substr(digest, 1, 16) FROM document ORDER BY uri"
        with self._database.reading() as connection:
            sequence, changed_at = connection.execute("SELECT sequence, changed_at FROM state").fetchone()
            stamps = dict(connection.execute(query))
        return Held(sequence, parse_instant(changed_at) if changed_at else None, stamps)

    def read(self, uri: str) -> Fetched:
        """The document as it is now. Raises DocumentGone, or ExtractionError for what is too large."""
        query = (
            "SELECT sequence, media_type, metadata, access, modified_at, length(bytes), "
            "CASE WHEN length(bytes) <= ? THEN bytes END FROM document JOIN content USING (sequence) WHERE uri = ?"
        )
        with self._database.reading() as connection:
            row = connection.execute(query, (self._max_bytes, uri)).fetchone()
        if row is None:
            raise DocumentGone(f"{uri} is no longer there")
        sequence, media_type, metadata, access, modified_at, size, content = row
        if content is None:
            raise ExtractionError("too large", f"{uri} has {size:,} bytes, more than the {self._max_bytes:,} allowed")
        groups = None if access is None else tuple(json.loads(access))
        return Fetched(content, media_type, str(sequence), parse_instant(modified_at), groups, json.loads(metadata))

    def _checked(self, changes: Iterable[Change]) -> Iterator[Change]:
        named: set[str] = set()
        for change in changes:
            check(change, self._max_bytes)
            if change.uri in named:
                raise UsageError(f"{change.uri} is named twice; push it once, or in two pushes")
            if len(named) == MOST_CHANGES:
                raise UsageError(f"more than {MOST_CHANGES:,} documents at once; push them in several pushes")
            named.add(change.uri)
            yield change
        if not named:
            raise UsageError("there is nothing to push")

    def _remembered(self, connection: sqlite3.Connection, key: str, request: str, receipt: Receipt) -> Receipt:
        """The receipt, or the first one where the key was used before; the changes are then taken back."""
        moment = self._clock()
        connection.execute("DELETE FROM reply WHERE at < ?", (format_instant(moment - KEPT),))
        query = "SELECT request, sequence, outcomes FROM reply WHERE key = ?"
        first = connection.execute(query, (key,)).fetchone()
        if first is not None:
            if first[0] != request:
                raise Conflict(f"the idempotency key {key!r} was used for other content; use another key")
            connection.rollback()
            outcomes = json.loads(first[2])
            return Receipt(first[1], tuple(map(Pushed, (one.uri for one in receipt.documents), outcomes)))
        outcomes = json.dumps([one.outcome for one in receipt.documents])
        values = (key, request, receipt.sequence, outcomes, format_instant(moment))
        connection.execute("INSERT INTO reply (key, request, sequence, outcomes, at) VALUES (?, ?, ?, ?, ?)", values)
        oldest = "SELECT max(number) - ? FROM reply"
        connection.execute(f"DELETE FROM reply WHERE number <= ({oldest})", (MOST_KEYS,))
        return receipt


def _apply(connection: sqlite3.Connection, change: Change, digest: str, moment: str) -> Outcome:
    query = "SELECT sequence, digest FROM document WHERE uri = ?"
    before = connection.execute(query, (change.uri,)).fetchone()
    if isinstance(change, Delete) and before is None:
        return "absent"
    if before is not None and before[1] == digest:
        return "unchanged"
    connection.execute("UPDATE state SET sequence = sequence + 1, changed_at = ?", (moment,))
    if before is not None:
        connection.execute("DELETE FROM content WHERE sequence = ?", before[:1])
    if isinstance(change, Delete):
        connection.execute("DELETE FROM document WHERE uri = ?", (change.uri,))
        return "removed"
    _store(connection, change, digest, moment)
    return "changed" if before else "added"


def _store(connection: sqlite3.Connection, put: Put, digest: str, moment: str) -> None:
    sequence = _sequence(connection)
    modified_at = format_instant(put.modified_at) if put.modified_at else moment
    access = None if put.access is None else json.dumps(put.access)
    values = (put.uri, sequence, digest, put.media_type, json.dumps(dict(put.metadata)), access, modified_at)
    connection.execute("INSERT INTO content VALUES (?, ?)", (sequence, put.content))
    connection.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _sequence(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT sequence FROM state").fetchone()[0])
