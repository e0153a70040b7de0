"""Opening the catalog, its transactions and its migrations."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError, OperationalError

from kb.catalog import schema
from kb.errors import Corrupt, KBError, NotFound
from kb.unwritable import unwritable

__all__ = ["Catalog", "Connection"]

_MIGRATIONS = Path(__file__).parent / "migrations"


class Catalog:
    """Reads and writes in transactions; each transaction sees one state from its first to its last statement."""

    def __init__(self, url: str, *, wait_ms: int = 30_000, sync: bool = True) -> None:
        """Waits so long for another writer. Without `sync`, what is written outlives the process, not a power failure.

        Both are for SQLite.
        """
        self._url = url
        self._engine = _engine(url, wait_ms, sync)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with _translated(self._url), self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """To read by; on a full disk also without the memory that SQLite's readers and writers share in a file."""
        opened: AbstractContextManager[Connection]
        try:
            opened = self._consistent(self._engine.connect())
        except OperationalError as error:
            path = _file(self._url)
            if path is None or _waiting(path) or unwritable(error.orig or error, path.parent) is None:
                raise
            opened = _alone(path)
        with opened as connection:
            yield connection

    def _consistent(self, connection: Connection) -> Connection:
        """One state for a whole transaction: SQLite gives nothing else, others must be asked for it."""
        if self._engine.dialect.name == "sqlite":
            return connection
        return connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block and rolled back on any exception."""
        with _translated(self._url), self._engine.connect() as connection:
            connection.info["writes"] = True
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.info["writes"] = False

    def require(self) -> None:
        """Raises NotFound where there is no catalog, KBError where its tables are of another age."""
        database = make_url(self._url).database
        if self._engine.dialect.name == "sqlite" and not Path(database or "").is_file():
            raise NotFound(
                f"the catalog {database} is missing: restore it, or make a new knowledge base with `kb init`"
            )
        found = self._revision()
        if found != schema.REVISION:
            raise KBError(f"the catalog's tables are at {found}, this program's at {schema.REVISION}: run `kb init`")

    def migrate(self) -> None:
        """Brings the tables to the newest revision; a new catalog gets all of them."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self._engine.dispose()

    def _revision(self) -> str | None:
        with self.reading() as connection:
            if not self._engine.dialect.has_table(connection, "alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found


def _engine(url: str, wait_ms: int, sync: bool) -> Engine:
    path = _file(url)
    if path is not None and path.is_file() and not os.access(path.parent, os.W_OK, effective_ids=True):
        return _reading_engine(path)
    engine = create_engine(url)
    if path is not None:
        event.listen(engine, "connect", partial(_configure_sqlite, wait_ms=wait_ms, sync=sync))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _file(url: str) -> Path | None:
    return Path(make_url(url).database or "") if url.startswith("sqlite") else None


def _waiting(path: Path) -> bool:
    """Whether something waits in the WAL to be brought into the file."""
    wal = path.with_name(f"{path.name}-wal")
    return wal.is_file() and wal.stat().st_size > 0


def _reading_engine(path: Path) -> Engine:
    """For a home that may only be read. Where nothing waits in a WAL, SQLite need not lock what nobody can change."""
    mode = "mode=ro" if _waiting(path) else "mode=ro&immutable=1"
    return create_engine(f"sqlite:///file:{quote(str(path))}?{mode}&uri=true")


@contextmanager
def _alone(path: Path) -> Iterator[Connection]:
    """Without shared memory nobody can write, so nothing is locked; was room made meanwhile, that is no longer so."""
    before, engine = path.stat(), _reading_engine(path)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
    after = path.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise KBError(f"the catalog {path} was written while it was read on a full disk: do it again")


def _configure_sqlite(connection: sqlite3.Connection, _record: Any, *, wait_ms: int, sync: bool) -> None:
    # The driver's own transactions begin too late to give a read one consistent state.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: one that has read first could find its view outdated and fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")


@contextmanager
def _translated(url: str) -> Iterator[None]:
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        path = _file(url)
        if path is not None and error.orig is not None and (refused := unwritable(error.orig, path.parent)):
            raise refused from error
        raise KBError(f"the catalog {shown} cannot be used: {error.orig}") from error
    except DatabaseError as error:
        raise Corrupt(f"the catalog {shown} is damaged: {error.orig}; restore it from a copy") from error
