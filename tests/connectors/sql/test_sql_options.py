"""What a SQL source may be told: what is refused says what was meant, what is taken is kept in one form."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.options import canonical, parse
from connectors.sql import SqlOptions
from connectors.sql.query import select
from kb.errors import ConfigError

BASE = Path("/srv/a base")
LEAST = {"url": "sqlite:///x.db", "table": "t", "key": "id", "text": "body"}


def parsed(**options: object) -> SqlOptions:
    given = {**LEAST, **options}
    return parse("sql", SqlOptions, {name: value for name, value in given.items() if value is not None}, BASE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "my database"}, ["`url`", "DIALECT://"]),
        ({"url": "sqlite://"}, ["`url`", "names no file"]),
        ({"url": "sqlite:///:memory:"}, ["`url`", "names no file"]),
        ({"url": "sqlite:///file:x.db?uri=true"}, ["`url`", "by its path"]),
        ({"url": "sqlite:///x.db?mode=rwc"}, ["`url`", "by its path"]),
        ({"url": "postgresql://me:s3@cret@host/db"}, ["`url`", "%40"]),
        ({"url": "postgresql://me:pass@host:s3cret/db"}, ["`url`"]),
        ({"url": "postgresql://me:s3cret@host/\ndb"}, ["`url`", "control characters"]),
        ({"key": ""}, ["`key`", "must name a column"]),
        ({"key": None}, ["`key` is missing"]),
        ({"key": "a,a"}, ["`key`", "twice"]),
        ({"text": 3}, ["`text`", "commas"]),
        ({"query": "SELECT 1"}, ["either `query` or `table`"]),
        ({"table": None}, ["either `query` or `table`"]),
        ({"table": "a.b.c"}, ["`table`", "SCHEMA.TABLE"]),
        ({"table": None, "query": "DELETE FROM t"}, ["`query`", "must be a SELECT"]),
        ({"table": None, "query": "SELECT 1; DROP TABLE t"}, ["`query`", "single SELECT"]),
        ({"table": None, "query": "SELECT 1) x; --"}, ["`query`", "parentheses"]),
        ({"table": None, "query": "SELECT 1\0"}, ["`query`", "NUL"]),
        ({"timeout_s": "soon"}, ["`timeout_s`", "seconds"]),
        ({"timeout_s": 0}, ["`timeout_s`", "seconds"]),
        ({"timeout_s": "nan"}, ["`timeout_s`", "seconds"]),
        ({"updatet_at": "u"}, ["`updatet_at`", "did you mean `updated_at`"]),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(**options)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sqlite:///x.db", "sqlite:////srv/a%20base/x.db"),
        ("sqlite:///../y/%25.db?timeout=3", "sqlite:////srv/y/%25.db?timeout=3"),
        ("sqlite+pysqlite:////z/x.db", "sqlite+pysqlite:////z/x.db"),
        ("sqlite:///${DIR}/x.db", "sqlite:///${DIR}/x.db"),
        ("sqlite:///d/${NAME}.db", "sqlite:////srv/a%20base/d/${NAME}.db"),
        ("${DATABASE}", "${DATABASE}"),
        ("postgresql://me:${PW}@${HOST}:${PORT}/${DB}?sslmode=require", None),
        ("mysql+pymysql://me@h/db", None),
        ("postgresql://[::1]:5432/db", None),
    ],
)
def test_a_url_is_kept_in_one_form(given: str, kept: str | None) -> None:
    once = canonical(parsed(url=given))
    assert once["url"] == (kept or given)
    assert canonical(parse("sql", SqlOptions, once, Path("/elsewhere"))) == once


def test_a_password_of_its_own_needs_no_escapes() -> None:
    options = parsed(url="postgresql://me@host/db", password="a@b/c%41")
    assert options.database.password == "a@b/c%41"
    assert "a@b" not in options.database.render_as_string(hide_password=True)


def test_defaults_are_left_out_and_lists_are_lists() -> None:
    kept = canonical(parsed(key="a, b", metadata=["x,y"], timeout_s="60"))
    assert kept == {
        "url": "sqlite:////srv/a%20base/x.db",
        "table": "t",
        "key": ["a", "b"],
        "text": ["body"],
        "metadata": ["x,y"],
    }


def test_a_variable_may_stand_for_any_value() -> None:
    names = ("url", "key", "text", "query", "title", "metadata", "updated_at", "timeout_s")
    options = dict.fromkeys(names, "${X}")
    assert canonical(parsed(table=None, password="${X}", **options))["timeout_s"] == "${X}"
    assert parsed(table="${SCHEMA}.${TABLE}").table == "${SCHEMA}.${TABLE}"


@pytest.mark.parametrize(
    ("given", "parts"),
    [("t", (None, "t")), ("s.t", ("s", "t")), ('"a.b".t', ("a.b", "t")), ('"a b.c"', (None, "a b.c"))],
)
def test_a_table_may_have_a_schema(given: str, parts: tuple[str | None, str]) -> None:
    assert parsed(table=given).table_name == parts


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" SELECT 1 ; ; ", "SELECT 1"),
        ("SELECT 1; -- the end", "SELECT 1"),
        ("SELECT ';', \"a;b\", $x$;)$x$ -- ;)\n/* ;( */", None),
        ("-- first\nWITH a AS (SELECT 1) SELECT * FROM a", None),
        ("(SELECT 1) UNION (SELECT 2)", None),
        ("VALUES (1)", None),
        ("SELECT 'it''s ('", None),
    ],
)
def test_a_query_is_one_select(given: str, kept: str | None) -> None:
    assert select(given) == (kept or given)


@given(st.text(alphabet="ab'\"();-/* \n$", max_size=30))
def test_no_query_ends_the_subquery_that_it_stands_in(words: str) -> None:
    try:
        kept = select(f"SELECT {words}")
    except ValueError:
        return
    assert kept.startswith("SELECT")
    assert select(kept) == kept
