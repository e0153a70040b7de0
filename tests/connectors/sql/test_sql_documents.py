"""What becomes of a row: keys to URIs and back, values to text, columns to a document."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sql.document import compose
from connectors.sql.keys import parts_of, read, uri_of_key
from connectors.sql.options import SqlOptions
from connectors.sql.values import fit, rendered
from connectors.sql.watermark import mark, settled
from indexer.extract import extract
from indexer.extract.formats import recognise

TWO_HOURS = timezone(timedelta(hours=2))
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
VALUES = st.one_of(
    st.text(),
    st.binary(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.uuids(),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.booleans(),
    st.datetimes(),
)


def options(text: str = "body", title: str | None = None, *metadata: str) -> SqlOptions:
    return SqlOptions("sqlite:////x", ("id",), tuple(text.split(",")), table="t", title=title, metadata=metadata)


@given(st.lists(VALUES, min_size=1, max_size=3).filter(lambda values: "\0" not in str(values)))
def test_a_key_is_found_again_by_its_uri(values: list[object]) -> None:
    uri = uri_of_key(values)
    parts = parts_of(uri, len(values))
    assert parts is not None
    assert [read(part, type(value)) for part, value in zip(parts, values, strict=True)] == values
    assert uri.isprintable() or not uri.isascii()


@given(st.lists(st.text(alphabet="a/%2F5\\", max_size=4), min_size=2, max_size=2), st.data())
def test_different_keys_never_share_a_uri(one: list[str], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.text(alphabet="a/%2F5\\", max_size=4), min_size=2, max_size=2))
    assert (uri_of_key(one) == uri_of_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("kind", "part"),
    [(int, b"x"), (int, b"9" * 30), (int, b"9" * 9000), (UUID, b"5"), (Decimal, b"x"), (date, b"5"), (str, b"\xff")],
)
def test_what_is_no_such_value_is_none(kind: type, part: bytes) -> None:
    assert read(part, kind) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50"), "1.50"),
        (datetime(2024, 5, 1, 2, tzinfo=TWO_HOURS), "2024-05-01T00:00:00+00:00"),
        (datetime.min.replace(tzinfo=TWO_HOURS), "0001-01-01T00:00:00+02:00"),
        (datetime(2024, 5, 1), "2024-05-01T00:00:00"),
        (date(2024, 5, 1), "2024-05-01"),
        (b"caf\xc3\xa9", "café"),
        (memoryview(b"\xff\x00"), "ff00"),
        ({"b": [1, Decimal("2.0")], "a": "é"}, '{"a": "é", "b": [1, "2.0"]}'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert rendered(value) == text


def test_metadata_can_be_kept_by_any_catalog() -> None:
    assert fit("a\0b\udcffé") == "a\ufffdb\ufffdé"


def test_one_column_is_the_document_as_it_is() -> None:
    document = compose(options(), {"body": "  # words\r\n"})
    assert (document.content, document.media_type) == (b"  # words\r\n", "text/plain")


def test_what_is_no_utf8_stays_the_bytes_that_it_was() -> None:
    assert compose(options(), {"body": "caf\udce9"}).content == b"caf\xe9"


def test_a_binary_column_is_a_file() -> None:
    document = compose(options("body", "name"), {"body": memoryview(b"%PDF-1.4 \xff"), "name": "A"})
    assert (document.content, document.media_type) == (b"%PDF-1.4 \xff", None)


def test_several_columns_are_sections_under_the_title() -> None:
    row = {"question": "Why?", "answer": "So.", "note": None, "name": "A\n title", "tag": 5, "none": None}
    document = compose(options("question,answer,note", "name", "tag", "none"), row)
    assert document.content == b"# A title\n\n## question\n\nWhy?\n\n## answer\n\nSo.\n"
    assert document.metadata == {"tag": "5"}
    extracted = extract(document.content, "1", document.media_type)
    assert extracted.title == "A title"
    assert [block.title for block in extracted.blocks if block.kind == "heading"] == ["A title", "question", "answer"]


def test_a_title_stands_before_the_text() -> None:
    assert compose(options("body", "name"), {"body": "words", "name": "A"}).content == b"# A\n\nwords\n"
    assert compose(options("body", "name"), {"body": "words", "name": None}).content == b"words\n"


@pytest.mark.parametrize("nothing", [None, "", b""])
def test_a_row_without_text_is_an_empty_document(nothing: object) -> None:
    assert compose(options("body", "name"), {"body": nothing, "name": "A"}).content == b""


def test_zero_is_a_text() -> None:
    assert compose(options(), {"body": 0}).content == b"0"


def test_text_may_bear_the_name_of_the_file_that_it_came_from() -> None:
    document = compose(options(), {"body": "Words that were once in a PDF."})
    extracted = extract(document.content, "reports/2024.pdf", document.media_type)
    assert (extracted.text, extracted.media_type) == ("Words that were once in a PDF.", "text/plain")


def test_a_fragment_of_html_is_marked_by_the_query() -> None:
    document = compose(options(), {"body": "<html><p>Words.</p>"})
    assert recognise(document.content, "7", document.media_type).kind == "html"


@pytest.mark.parametrize(
    ("watermark", "stands"),
    [
        (NOW - timedelta(minutes=6), True),
        (NOW - timedelta(minutes=4), False),
        (NOW + timedelta(days=400), False),
        ((NOW - timedelta(minutes=6)).astimezone(TWO_HOURS), True),
        ((NOW - timedelta(hours=26)).replace(tzinfo=None), False),
        ((NOW - timedelta(hours=49)).replace(tzinfo=None), True),
        (date(2024, 4, 30), False),
        (date(2024, 4, 28), True),
        ("2024-05-01 11:00:00", False),
        ("2024-04-01T11:00:00Z", True),
        ("yesterday", False),
        ("", False),
        (None, False),
        (int(NOW.timestamp()), False),
        (int(NOW.timestamp() * 1000), False),
        (int(NOW.timestamp() * 10**9), False),
        (Decimal("1714564800.5"), False),
        (int(NOW.timestamp()) - 4 * 86400, True),
        (17, True),
        (float("inf"), True),
        (b"\0\0\7\xd1", True),
        (["a"], False),
    ],
)
def test_a_watermark_stands_for_a_row_once_no_other_edit_can_share_it(watermark: object, stands: bool) -> None:
    assert (settled(watermark, NOW) and mark(watermark) is not None) == stands


def test_the_same_moment_is_the_same_mark_in_every_zone() -> None:
    assert mark(NOW) == mark(NOW.astimezone(TWO_HOURS))
