"""A database that cannot be read: one line that says what is wrong and what to do, no secret, and never for ever."""

import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from postgres_support import Cluster
from sql_shop import Shop
from sqlalchemy import make_url

from connectors.protocol import Entry
from connectors.sql.failures import failure
from kb.errors import SourceUnavailable

SECRET = "s3cret"


def refused(shop: Shop, **options: Any) -> str:
    """What a poll says that fails."""
    with pytest.raises(SourceUnavailable) as caught:
        shop.connector(**options).poll(None)
    words = str(caught.value)
    assert "\n" not in words
    assert SECRET not in words
    return words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"query": "SELECT body FROM page"}, ["query has no column `id`, which `key` names", "its columns: body"]),
        ({"key": ("ID",)}, ["table `page` has no column `ID`, which `key` names", "did you mean `id`?"]),
        ({"text": ("boddy",)}, ["`boddy`, which `text` names", "did you mean `body`?"]),
        ({"updated_at": "update_at"}, ["`update_at`, which `updated_at` names", "did you mean `updated_at`?"]),
        ({"title": "x"}, ["`x`, which `title` names", "its columns: body, id, updated_at"]),
        ({"metadata": ("x",)}, ["`x`, which `metadata` names"]),
        ({"table": "pages"}, ["no table `pages`", "did you mean `page`?"]),
        ({"table": "PAGE "}, ["no table `PAGE `"]),
        ({"table": "nowhere.page"}, ["no schema `nowhere`", "schemas: "]),
        ({"query": "SELECT * FROM pages"}, ["pages"]),
        ({"query": "SELECT id, body FORM page"}, ["syntax error"]),
    ],
)
def test_what_is_missing_is_named_with_the_nearest_there_is(
    shop: Shop, options: dict[str, Any], words: list[str]
) -> None:
    shop.fill("id integer, body text, updated_at text", "1, 'words', NULL")
    said = refused(shop, **options)
    assert all(word in said for word in words), said


def test_a_column_that_is_there_twice_is_refused(postgresql: Shop) -> None:
    said = refused(postgresql, query="SELECT 1 AS id, 2 AS id, 'x' AS body")
    assert "several columns `id`, which `key` names; tell them apart by AS" in said


def test_a_long_list_of_names_is_cut(sqlite: Shop) -> None:
    sqlite.execute(f"CREATE TABLE wide ({', '.join(f'column_{number}' for number in range(500))})")
    said = refused(sqlite, table="wide", key=("column_5000",))
    assert "did you mean `column_500`?" in said or "did you mean `column_50" in said
    assert "the nearest of its 500 columns" in said
    assert len(said) < 1000


def test_an_sqlite_file_that_is_not_there_is_not_made(sqlite: Shop, tmp_path: Path) -> None:
    assert "not there" in refused(sqlite, url=f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database(sqlite: Shop, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    assert "not a database" in refused(sqlite, url=f"sqlite:///{tmp_path / 'text.db'}")


def test_a_file_that_somebody_writes_to_for_long(sqlite: Shop, tmp_path: Path) -> None:
    sqlite.fill("id integer, body text", "1, 'words'")
    sqlite.execute("BEGIN EXCLUSIVE")
    assert "is locked; try again" in refused(sqlite, timeout_s=1)
    sqlite.execute("ROLLBACK")
    assert sqlite.contents() == {"1": b"words"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:s3cret@localhost/db", "pip install 'mysqlclient'"),
        ("oracle+oracledb://me:s3cret@localhost/db", "pip install 'oracledb'"),
        ("snowflake://me:s3cret@account/db", "pip install snowflake-sqlalchemy"),
        ("postgrs://me:s3cret@localhost/db", "did you mean `postgresql`?"),
        ("postgresql+asyncpg://me:s3cret@localhost/db", "asynchronous"),
        ("postgresql://me:s3cret@localhost/db?sslmode=s3cret", "invalid sslmode value"),
        ("postgresql://me:s3cret@no-such-host.invalid/db", "check the host's name"),
    ],
)
def test_a_database_that_cannot_be_connected_to(sqlite: Shop, url: str, words: str) -> None:
    assert words in refused(sqlite, url=url)


def test_a_port_where_nobody_listens(sqlite: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        said = refused(
            sqlite, url=f"postgresql://me:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/db?application_name=s3cret"
        )
    assert "Connection refused; check the host and port" in said


@pytest.mark.parametrize("answer", [b"", b"N" + b"x" * 1000, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_server_that_is_no_database(sqlite: Shop, answer: bytes) -> None:
    """It accepts, says so much, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://me:{SECRET}@127.0.0.1:{server.getsockname()[1]}/db?gssencmode=disable"
        began = time.monotonic()
        said = answered(server, answer, lambda: refused(sqlite, url=url, timeout_s=2))
        assert time.monotonic() - began < 10
    assert "127.0.0.1" in said


def answered(server: socket.socket, answer: bytes, ask: Callable[[], str]) -> str:
    """What asking leads to while the server accepts every caller and tells each the same."""
    callers: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            callers.append(caller)
            caller.sendall(answer)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        return ask()
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for caller in callers:
            caller.close()


def test_wrong_credentials(postgres: Cluster, postgresql: Shop) -> None:
    said = refused(postgresql, url=postgres.url(password=SECRET))
    assert 'authentication failed for user "admin"; check its user and password' in said
    assert "admin:***@" in said
    assert "check the database's name" in refused(postgresql, url=postgres.url(database="nowhere"))


def test_a_user_who_may_not_read(postgres: Cluster, postgresql: Shop) -> None:
    postgresql.fill("id integer, body text", "1, 'words'")
    postgres.execute("DROP ROLE IF EXISTS lesser")
    postgres.execute(f"CREATE ROLE lesser LOGIN PASSWORD '{SECRET}'")
    postgres.execute("GRANT USAGE ON SCHEMA public TO lesser")
    said = refused(postgresql, url=postgres.url(user="lesser", password=SECRET))
    assert "permission denied for table page; grant its user SELECT" in said


def test_a_query_that_takes_too_long(postgresql: Shop) -> None:
    said = refused(postgresql, query="SELECT 1 AS id, pg_sleep(60)::text AS body", timeout_s=1)
    assert "statement timeout; make the query quicker, or raise `timeout_s`" in said


def test_a_query_without_an_end(sqlite: Shop) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS id, 'x' AS body FROM n"
    )
    assert "no answer within 1 s" in refused(sqlite, query=endless, timeout_s=1)


def test_a_server_that_stands_still(postgres: Cluster, postgresql: Shop) -> None:
    """Its connections stay open, so that nothing but a limit of our own ends the waiting."""
    postgresql.fill("id integer, body text", "1, 'words'")
    connector = postgresql.connector(timeout_s=1)
    (entry,) = connector.poll(None).entries
    with postgres.frozen():
        for ask in (lambda: connector.fetch(entry), lambda: connector.poll(None)):
            began = time.monotonic()
            with pytest.raises(SourceUnavailable, match=r"no answer within 1 s|timeout expired"):
                ask()
            assert time.monotonic() - began < 10
    assert connector.fetch(entry).content == b"words"


def test_a_connection_that_broke_is_made_anew(postgres: Cluster, postgresql: Shop) -> None:
    postgresql.fill("id integer, body text", "1, 'words'")
    connector = postgresql.connector()
    (entry,) = connector.poll(None).entries
    postgres.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = ''"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert connector.fetch(entry).content == b"words"


def test_a_server_that_went_away_is_not_a_document_that_did(postgres: Cluster, postgresql: Shop) -> None:
    postgresql.fill("id integer, body text", "1, 'words'")
    connector = postgresql.connector()
    (entry,) = connector.poll(None).entries
    postgres.stop()
    try:
        for ask in (lambda: connector.fetch(entry), lambda: connector.poll(None)):
            with pytest.raises(SourceUnavailable, match="check the host and port"):
                ask()
    finally:
        postgres.start()
    assert connector.fetch(entry).content == b"words"


def test_a_table_that_went_away_is_not_a_document_that_did(shop: Shop) -> None:
    shop.fill("id integer, body text", "1, 'words'")
    connector = shop.connector()
    (entry,) = connector.poll(None).entries
    shop.execute("DROP TABLE page")
    with pytest.raises(SourceUnavailable):
        connector.fetch(entry)


def test_a_file_that_went_away_is_not_a_document_that_did(sqlite: Shop, tmp_path: Path) -> None:
    sqlite.fill("id integer, body text", "1, 'words'")
    (tmp_path / "shop.db").rename(tmp_path / "away.db")
    with pytest.raises(SourceUnavailable, match="not there"):
        sqlite.connector().fetch(Entry("1", ""))


def test_a_file_is_only_read(sqlite: Shop, tmp_path: Path) -> None:
    sqlite.fill("id integer, body text", "1, 'words'")
    before = (tmp_path / "shop.db").read_bytes()
    (tmp_path / "shop.db").chmod(0o444)
    assert sqlite.contents() == {"1": b"words"}
    assert (tmp_path / "shop.db").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"shop.db"}


def test_a_closed_connector_may_be_used_again(shop: Shop) -> None:
    shop.fill("id integer, body text", "1, 'words'")
    connector = shop.connector()
    connector.close()
    (entry,) = connector.poll(None).entries
    connector.close()
    connector.close()
    assert connector.fetch(entry).content == b"words"


def test_a_driver_may_repeat_a_secret() -> None:
    url = make_url("postgresql://me:pass@host/db?token=abc&token=d.f&n=5")
    words = str(failure(url, sqlite3.OperationalError("pass: passing abc d.f at 5432\nmore")))
    assert words.endswith("db: ***: passing *** *** at 5432")
