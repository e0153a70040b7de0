"""A spool's database file: made once, never by accident, each commit on the disk before it returns."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kb.errors import KBError, SourceUnavailable
from kb.unwritable import unwritable

WAIT_S: Final = 60
"""How long a push waits for others'."""

_FILE = "spool.sqlite"
_DEAD = ".removed"
# Also where the system loses power.
_DURABLE = ("PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON", "PRAGMA checkpoint_fullfsync = ON")
_SCHEMA = """
PRAGMA auto_vacuum = FULL;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE state (sequence INTEGER NOT NULL, changed_at TEXT);
INSERT INTO state VALUES (0, NULL);
CREATE TABLE document (
    uri TEXT PRIMARY KEY, sequence INTEGER NOT NULL, digest TEXT NOT NULL, media_type TEXT, metadata TEXT NOT NULL,
    access TEXT, modified_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE content (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE reply (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, sequence INTEGER NOT NULL,
    outcomes TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX reply_at ON reply (at);
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Database:
    """In a directory of its own, whose path is absolute."""

    directory: Path

    def create(self) -> None:
        """Makes it, empty; there must be none."""
        self.directory.mkdir(parents=True)
        with closing(sqlite3.connect(self.directory / _FILE, isolation_level=None)) as connection:
            _make_durable(connection)
            connection.executescript(_SCHEMA)
        for directory in (self.directory, *list(self.directory.parents)[:3]):
            _sync(directory)

    def discard(self) -> None:
        """Removes it with all that it holds."""
        # Renamed first: of a spool that is half removed nothing may come back.
        with suppress(FileNotFoundError):
            self.directory.rename(self.directory.with_suffix(_DEAD))
        for dead in self.directory.parent.glob(f"*{_DEAD}"):
            shutil.rmtree(dead, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; nobody else writes meanwhile, and it is on the disk when the block has ended well."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            # Left in any other way, the transaction ends with the connection, and nothing of it stays.
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All reads of the block see one moment."""
        with self._open() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Never makes a file: a spool that is lost must not pass for an empty one."""
        place = f"{(self.directory / _FILE).as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(place, uri=True, isolation_level=None, timeout=WAIT_S)) as connection:
                _make_durable(connection)
                yield connection
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> KBError:
        if not (self.directory / _FILE).exists():
            remedy = "restore it from a backup, or remove the source and add it again"
            return SourceUnavailable(f"the spool {self.directory} is lost; {remedy}")
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            return SourceUnavailable(f"the spool {self.directory} is busy for more than {WAIT_S} s; try again")
        unable = unwritable(error, self.directory)
        return unable or SourceUnavailable(f"the spool {self.directory} cannot be used: {error}; check its disk")


def _make_durable(connection: sqlite3.Connection) -> None:
    for pragma in _DURABLE:
        connection.execute(pragma)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
