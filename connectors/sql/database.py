"""Reading a database: one consistent, read-only transaction at a time, over one connection, within time limits."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from connectors.sql import failures
from connectors.sql.limit import TimeLimit
from kb.errors import SourceUnavailable

Answer = TypeVar("Answer")
Rows = list[sa.Row[Any]]

_GRACE_S = 1.0
"""A server that keeps to its own limit says so before the connection is given up."""

_SNAPSHOTS = {
    "mariadb": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
    "postgresql": "REPEATABLE READ",
}
"""The isolation level at which a transaction sees one state from its first to its last statement."""

# Not all that drivers raise on odd values and broken networks is of their own kind.
_FAILURES = (SQLAlchemyError, ValueError, OverflowError, OSError)


class Database:
    """Connects when first read, and anew where a connection broke."""

    def __init__(self, url: URL, timeout_s: float) -> None:
        self.subject = f"database {failures.shown(url)}"
        self._url = url
        self._timeout_s = timeout_s
        self._limit = TimeLimit(timeout_s + _GRACE_S)
        self._engine: Engine | None = None

    def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """What the work finds within one transaction. Raises SourceUnavailable, and what the work raises.

        A connection may have broken while nobody used it, so the work is begun once more where it did.
        """
        self._limit.passed = False
        try:
            try:
                return self._once(work)
            except DBAPIError as error:
                if not error.connection_invalidated or self._limit.passed:
                    raise
                return self._once(work)
        except _FAILURES as error:
            raise self._failure(error) from error

    def rows(self, connection: Connection, statement: sa.Executable) -> Rows:
        """All rows of a small answer."""
        with self._limit.over():
            return list(connection.execute(statement))

    def batches(self, connection: Connection, statement: sa.Executable, size: int) -> Iterator[Rows]:
        """The rows of a large answer as they come: the server keeps the rest, where it can."""
        with self._limit.over():
            result: CursorResult[Any] = connection.execute(statement, execution_options={"yield_per": size})
        batches = result.partitions()
        while True:
            with self._limit.over():
                batch = next(batches, None)
            if batch is None:
                return
            yield list(batch)

    def in_time(self) -> AbstractContextManager[None]:
        """Within it the connection must answer in time."""
        return self._limit.over()

    def now(self, connection: Connection) -> datetime:
        """By the database's clock; where that tells no zone, it is taken as UTC."""
        ((found,),) = self.rows(connection, sa.select(sa.func.current_timestamp()))
        assert isinstance(found, datetime), "it is what SQLAlchemy makes of it"
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def close(self) -> None:
        """The database may still be read, over a new connection."""
        if self._engine is not None:
            self._engine.dispose()

    def _once(self, work: Callable[[Connection], Answer]) -> Answer:
        engine = self._opened()
        with self._limit.over():
            connection = engine.connect()
        try:
            self._prepare(connection)
            return work(connection)
        finally:
            with self._limit.over():
                # There is nothing to keep: the transaction is rolled back.
                connection.close()

    def _prepare(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        if connection.dialect.name == "postgresql":
            limit_ms = str(math.ceil(self._timeout_s * 1000))
            self.rows(connection, sa.select(sa.func.set_config("statement_timeout", limit_ms, True)))

    def _opened(self) -> Engine:
        if self._url.get_backend_name() == "sqlite" and not Path(self._url.database or "").is_file():
            raise SourceUnavailable(f"{self.subject}: the file is not there; restore it, or change the url")
        if self._engine is None:
            self._engine = self._made()
        return self._engine

    def _made(self) -> Engine:
        try:
            if self._url.get_dialect().is_async:
                raise SourceUnavailable(f"{self.subject}: its driver is for asynchronous programs; name another one")
            pool = {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0}
            engine = sa.create_engine(_read_only(self._url), **pool, **self._settings())
        except (ImportError, NoSuchModuleError) as error:
            raise failures.not_installed(self._url, error) from error
        sa.event.listen(engine, "do_connect", self._connect)
        return engine

    def _settings(self) -> dict[str, Any]:
        name = self._url.get_backend_name()
        options: dict[str, Any] = {"postgresql_readonly": True} if name == "postgresql" else {}
        if name in _SNAPSHOTS:
            options["isolation_level"] = _SNAPSHOTS[name]
        return {"execution_options": options, "connect_args": self._limits(name)}

    def _limits(self, name: str) -> dict[str, Any]:
        """What drivers call the time that they may wait, and what else they are told."""
        driver = self._url.get_driver_name()
        seconds = math.ceil(self._timeout_s)
        if name == "sqlite":
            return {"timeout": self._timeout_s}
        if driver in ("mysqldb", "pymysql"):
            return {"connect_timeout": seconds, "read_timeout": seconds}
        # A pool of connections between here and the server may lose statements that were prepared.
        prepares = {"prepare_threshold": None} if driver == "psycopg" else {}
        return {"connect_timeout": seconds, **prepares} if name == "postgresql" else {}

    def _connect(self, dialect: sa.Dialect, _record: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        # Watched before SQLAlchemy asks it the first question.
        connection: Any = dialect.connect(*arguments, **named)
        self._limit.watch(connection)
        if dialect.name == "sqlite":
            # The driver's own transactions begin too late to give one consistent state.
            connection.isolation_level = None
            connection.execute("PRAGMA query_only = ON")
            connection.text_factory = _text
        return connection

    def _failure(self, error: Exception) -> SourceUnavailable:
        if self._limit.passed:
            late = f"gave no answer within {self._timeout_s:g} s"
            return SourceUnavailable(f"{self.subject}: {late}; see that it is well, or raise `timeout_s`")
        return failures.failure(self._url, error)


def _read_only(url: URL) -> URL:
    """SQLite makes a file that is not there unless it is told to read only."""
    if url.get_backend_name() != "sqlite":
        return url
    path = f"file:{quote(url.database or '')}"
    return url.set(database=path, query={**url.query, "mode": "ro", "uri": "true"})


def _text(content: bytes) -> str:
    # SQLite holds whatever was written as text; one bad row must not hide all others.
    return content.decode("utf-8", "surrogateescape")
