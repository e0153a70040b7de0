"""Rows as documents, on SQLite and on PostgreSQL: what is listed and what is read."""

import pytest
from sql_shop import Shop

from connectors.protocol import Entry
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError, SourceUnavailable


@pytest.mark.parametrize(
    ("types", "keys", "expected"),
    [
        ("id bigint", ["5", "-9223372036854775807"], ["-9223372036854775807", "5"]),
        ("id varchar(9)", ["'a/b'", "'a%2F'", "''';x'", "'A'", "'a'", "'é'"], ["';x", "A", "a", "a%252F", "a/b", "é"]),
        ("id float", ["1.5"], ["1.5"]),
    ],
)
def test_keys_of_many_types_are_found_again(shop: Shop, types: str, keys: list[str], expected: list[str]) -> None:
    shop.fill(f"{types}, body text", *(f"{key}, 'words'" for key in keys))
    assert shop.contents() == dict.fromkeys(expected, b"words")
    assert shop.connector().fetch(Entry(expected[0], stamp="")).content == b"words"


@pytest.mark.parametrize(
    ("type_", "key", "uri"),
    [
        ("uuid", "'6B9D7A70-1111-4222-8333-444455556666'", "6b9d7a70-1111-4222-8333-444455556666"),
        ("numeric", "1.50", "1.50"),
        ("char(5)", "'ab'", "ab   "),
        ("date", "'2024-02-03'", "2024-02-03"),
        ("timestamptz", "'2024-02-03 10:00+02'", "2024-02-03T08:00:00+00:00"),
        ("boolean", "true", "true"),
        ("bytea", r"'\xff2f'", "%FF/"),
    ],
)
def test_keys_of_postgresql_are_found_again(postgresql: Shop, type_: str, key: str, uri: str) -> None:
    postgresql.fill(f"id {type_}, body text", f"{key}, 'words'")
    assert postgresql.contents() == {uri: b"words"}


def test_one_column_of_sqlite_may_hold_keys_of_every_type(sqlite: Shop) -> None:
    sqlite.fill("id, body", "1, 'a'", "'2', 'b'", "x'FF', 'c'", "2.5, 'd'", "CAST(x'FE' AS TEXT), 'e'", "'1.0', 'f'")
    found = {"1": b"a", "2": b"b", "%FF": b"c", "2.5": b"d", "%FE": b"e", "1.0": b"f"}
    assert sqlite.contents() == found


def test_a_key_of_several_columns(shop: Shop) -> None:
    rows = ("'de', 'a/b', 1, 'one'", "'de/a', 'b', 1, 'two'", "'de', '', 2, 'three'")
    shop.fill("lang text, name text, n integer, body text", *rows)
    connector = shop.connector(key=("lang", "name", "n"))
    assert shop.contents(key=("lang", "name", "n")) == {"de/a%2Fb/1": b"one", "de%2Fa/b/1": b"two", "de//2": b"three"}
    for wrong in ("de", "de/a/b/1", "de/a%2Fb/x"):
        with pytest.raises(DocumentGone):
            connector.fetch(Entry(wrong, ""))


@pytest.mark.parametrize("uri", ["x", "%00", "%FF", "9" * 30, "1/2", "", "1 "])
def test_what_is_no_key_cannot_be_fetched(shop: Shop, uri: str) -> None:
    shop.fill("id integer, body text", "1, 'words'")
    with pytest.raises(DocumentUnavailable):
        shop.connector().fetch(Entry(uri, ""))


def test_a_query_is_read_as_it_is_written(shop: Shop) -> None:
    shop.fill('"The Id" integer, body text', "1, '100% :x'", "2, 'no'")
    query = """
        WITH kept AS (SELECT "The Id", body AS "Body %", '12:30' || ':x::y' AS at FROM page WHERE body LIKE '100%')
        SELECT * FROM kept ORDER BY 1 -- the end: %s"""
    connector = shop.connector(query=query, key=("The Id",), text=("Body %",), metadata=("at",))
    fetched = connector.fetch(connector.poll(None).entries[0])
    assert (fetched.content, fetched.metadata) == (b"100% :x", {"at": "12:30:x::y"})


def test_tables_and_columns_are_quoted(shop: Shop) -> None:
    shop.execute('CREATE TABLE "order; --" ("Select" integer, "a b" text)')
    shop.execute("INSERT INTO \"order; --\" VALUES (1, 'words')")
    assert shop.contents(table="order; --", key=("Select",), text=("a b",)) == {"1": b"words"}


def test_a_view_is_a_table(shop: Shop) -> None:
    shop.fill("id integer, body text", "1, 'a'", "2, 'b'")
    shop.execute("CREATE VIEW seen AS SELECT * FROM page WHERE id > 1")
    assert shop.contents(table="seen") == {"2": b"b"}


def test_an_empty_table_is_an_empty_source(shop: Shop) -> None:
    shop.fill("id integer, body text")
    assert shop.connector().poll(None).entries == ()
    with pytest.raises(DocumentGone):
        shop.connector().fetch(Entry("1", ""))


@pytest.mark.parametrize("updated_at", [None, "edited"])
def test_what_is_too_large_is_listed_and_not_read(shop: Shop, updated_at: str | None) -> None:
    shop.fill("id integer, body text, edited text", f"1, '{'é' * 500}', NULL", f"2, '{'é' * 501}', NULL")
    connector = shop.connector(max_bytes=1000, updated_at=updated_at)
    small, large = connector.poll(None).entries
    assert len(connector.fetch(small).content) == 1000
    with pytest.raises(ExtractionError, match="1,002 bytes") as caught:
        connector.fetch(large)
    assert caught.value.reason == "too large"
    several = shop.connector(max_bytes=1000, text=("body", "id"))
    together = several.poll(None).entries[0]
    with pytest.raises(ExtractionError, match="more than the 1,000"):
        several.fetch(together)
    shop.execute("UPDATE page SET body = body || 'x'")
    with pytest.raises(DocumentUnavailable, match="since it was listed"):
        connector.fetch(small)


@pytest.mark.parametrize("updated_at", [None, "edited"])
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["NULL, 'a', NULL"], ["`id`", "NULL"]),
        (["'x', 'a', NULL", "'x', 'b', NULL"], ["`id`", "`x` more than once"]),
        (["'x', 'a', NULL", "'x', 'b', '2020-01-01'"], ["`id`", "`x` more than once"]),
        (["'', 'a', NULL"], ["`id`", "empty"]),
    ],
)
def test_a_key_that_tells_no_rows_apart_is_refused(
    shop: Shop, rows: list[str], words: list[str], updated_at: str | None
) -> None:
    shop.fill("id text, body text, edited text", *rows)
    with pytest.raises(SourceUnavailable) as caught:
        shop.connector(updated_at=updated_at).poll(None)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_key_that_is_no_name_is_refused(postgresql: Shop) -> None:
    postgresql.fill("id integer[], body text", "'{1,2}', 'words'")
    with pytest.raises(SourceUnavailable, match="the type list in `id`; CAST it to text"):
        postgresql.connector().poll(None)


def test_a_value_that_the_driver_cannot_read(postgresql: Shop) -> None:
    postgresql.fill(
        "id integer, body date, edited text", "1, '2024-01-01', '2020-01-01'", "2, 'infinity', '2020-01-01'"
    )
    with pytest.raises(SourceUnavailable, match=r"infinity.*CAST in `query`"):
        postgresql.connector().poll(None)
    connector = postgresql.connector(updated_at="edited")
    first, second = connector.poll(None).entries
    assert connector.fetch(first).content == b"2024-01-01"
    with pytest.raises(DocumentUnavailable, match=r"2 cannot be read.*infinity"):
        connector.fetch(second)


def test_text_that_is_no_utf8_hides_no_other_row(sqlite: Shop) -> None:
    sqlite.fill("id integer, body text", "1, CAST(x'636166E9' AS TEXT)", "2, 'words'")
    connector = sqlite.connector(metadata=("body",))
    first, second = connector.poll(None).entries
    assert (connector.fetch(first).content, connector.fetch(first).metadata) == (b"caf\xe9", {"body": "caf\ufffd"})
    assert connector.fetch(second).content == b"words"


def test_a_collation_makes_no_two_keys_one(sqlite: Shop) -> None:
    sqlite.fill("id text COLLATE NOCASE, body text, edited text", "'a', 'small', NULL", "'A', 'capital', NULL")
    for updated_at in (None, "edited"):
        assert sqlite.contents(updated_at=updated_at) == {"a": b"small", "A": b"capital"}


def test_values_are_the_same_in_every_session(postgresql: Shop) -> None:
    postgresql.fill("id integer, body jsonb, at timestamptz", """1, '{"b": 1, "a": [1.50]}', '2024-01-01 00:00+02'""")
    found = []
    for zone in ("UTC", "Asia/Tokyo"):
        postgresql.execute(f"ALTER ROLE admin SET timezone = '{zone}'")
        connector = postgresql.connector(metadata=("at",))
        found.append((connector.poll(None).entries, connector.fetch(Entry("1", ""))))
    postgresql.execute("ALTER ROLE admin RESET timezone")
    assert found[0][0] == found[1][0]
    assert found[0][1].content == found[1][1].content == b'{"a": [1.5], "b": 1}'
    assert found[0][1].metadata == found[1][1].metadata == {"at": "2023-12-31T22:00:00+00:00"}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('numbers') AS id, 'x' AS body",
        "SELECT boom() AS id, 'x' AS body",
        "WITH gone AS (DELETE FROM page RETURNING id) SELECT id, 'x' AS body FROM gone",
    ],
)
def test_nothing_is_written(postgresql: Shop, query: str) -> None:
    postgresql.fill("id integer, body text", "1, 'words'")
    postgresql.execute("CREATE SEQUENCE numbers")
    postgresql.execute("CREATE FUNCTION boom() RETURNS integer LANGUAGE sql AS 'DELETE FROM page RETURNING 1'")
    with pytest.raises(SourceUnavailable, match=r"read-only|data-modifying"):
        postgresql.connector(query=query).poll(None)
    assert postgresql.execute("SELECT count(*) FROM page") == [(1,)]


def test_one_listing_sees_one_state(postgresql: Shop) -> None:
    query = "SELECT current_setting('transaction_isolation') AS id, current_setting('transaction_read_only') AS body"
    assert postgresql.contents(query=query) == {"repeatable read": b"on"}
