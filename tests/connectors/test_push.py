"""What is pushed: taken wholly or not at all, never taken twice under one key, and told again as it was told."""

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.protocol import Entry
from connectors.push import PushConnector, PushOptions, Spool
from connectors.push.connector import spool_path
from kb.errors import Conflict, ExtractionError, SourceUnavailable, UsageError
from kb.pushing import Delete, Put

NAME = "ab" * 16
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = MOMENT

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Spool:
    made = Spool(spool_path(tmp_path, NAME), 1_000, clock)
    made.create()
    return made


@pytest.fixture
def connector(tmp_path: Path, spool: Spool) -> PushConnector:
    return PushConnector(PushOptions(NAME), workspace=tmp_path, max_bytes=1_000)


def outcomes(spool: Spool, *changes: Put | Delete, key: str | None = None) -> tuple[int, list[str]]:
    receipt = spool.take(changes, key)
    return receipt.sequence, [one.outcome for one in receipt.documents]


def contents(spool: Spool) -> Mapping[str, bytes]:
    return {uri: spool.read(uri).content for uri in spool.held().stamps}


def query(tmp_path: Path, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(spool_path(tmp_path, NAME) / "spool.sqlite")) as connection:
        return connection.execute(statement).fetchall()


def test_each_change_has_a_number_and_what_is_the_same_is_none(spool: Spool) -> None:
    assert outcomes(spool, Put("a", b"1"), Put("b", b"1")) == (2, ["added", "added"])
    assert outcomes(spool, Put("a", b"1"), Put("b", b"2")) == (3, ["unchanged", "changed"])
    assert outcomes(spool, Delete("a"), Delete("none")) == (4, ["removed", "absent"])
    assert outcomes(spool, Put("b", b"2", modified_at=MOMENT)) == (4, ["unchanged"])
    assert outcomes(spool, Put("b", b"2", "text/plain")) == (5, ["changed"])
    assert outcomes(spool, Put("b", b"2", "text/plain", {"a": "b"})) == (6, ["changed"])
    assert outcomes(spool, Put("b", b"2", "text/plain", {"a": "b"}, ("staff",))) == (7, ["changed"])
    assert contents(spool) == {"b": b"2"}


def test_what_was_said_of_a_document_comes_along(spool: Spool, connector: PushConnector) -> None:
    modified = datetime(2020, 5, 1, 12, tzinfo=UTC)
    spool.take([Put("a.md", b"1", "text/markdown", {"team": "é"}, ("staff", "legal"), modified), Put("b.md", b"2")])
    listing = connector.poll(None)
    assert (listing.revision, listing.time, listing.removed) == ("2", MOMENT, None)
    first, second = map(connector.fetch, listing.entries)
    assert (first.media_type, first.metadata, first.access) == ("text/markdown", {"team": "é"}, ("staff", "legal"))
    assert (first.revision, first.modified_at) == ("1", modified)
    assert (second.media_type, second.metadata, second.access) == (None, {}, None)
    assert (second.revision, second.modified_at) == ("2", MOMENT)


def test_nobody_is_not_everybody(spool: Spool) -> None:
    spool.take([Put("a", b"1", access=())])
    assert spool.read("a").access == ()


def test_content_that_came_back_has_another_stamp(spool: Spool, connector: PushConnector) -> None:
    """Else what is read between two listings could hide behind equal stamps."""
    stamps = set()
    for content in (b"1", b"2", b"1"):
        spool.take([Put("a", content)])
        stamps.add(connector.poll(None).entries[0].stamp)
    spool.take([Delete("a")])
    spool.take([Put("a", b"1")])
    stamps.add(connector.poll(None).entries[0].stamp)
    assert len(stamps) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Put("", b""), "needs a URI"),
        (Put("  ", b""), "needs a URI"),
        (Delete(""), "needs a URI"),
        (Put("a\nb", b""), "control characters"),
        (Put("a\0", b""), "control characters"),
        (Put("a\x7f", b""), "control characters"),
        (Put("é" * 1_025, b""), "longer than 2,048"),
        (Put("\udcff", b""), "UTF-8"),
        (Put("a", b"1" * 1_001), "more than the 1,000 bytes"),
        (Put("a", b"", "markdown"), "not a media type"),
        (Put("a", b"", "text/plain\n"), "not a media type"),
        (Put("a", b"", metadata={"": "b"}), "metadata"),
        (Put("a", b"", metadata={"a": 1}), "metadata"),
        (Put("a", b"", metadata={"a": "\udcff"}), "metadata"),
        (Put("a", b"", metadata={"a": "b" * 65_536}), "metadata"),
        (Put("a", b"", access=("",)), "`access`"),
        (Put("a", b"", modified_at=datetime(2020, 1, 1)), "time zone"),
        (Put("ok", b"2"), "named twice"),
    ],
)
def test_what_cannot_be_is_refused_and_takes_all_along(spool: Spool, change: Put | Delete, words: str) -> None:
    spool.take([Put("before", b"0")])
    with pytest.raises(UsageError, match=words) as caught:
        spool.take([Put("ok", b"1"), Delete("before"), change], "key")
    assert "\n" not in str(caught.value)
    assert contents(spool) == {"before": b"0"}
    assert outcomes(spool, Put("ok", b"1"), key="key") == (2, ["added"])


def test_nothing_and_too_much_are_refused(spool: Spool) -> None:
    with pytest.raises(UsageError, match="nothing to push"):
        spool.take([])
    with pytest.raises(UsageError, match="more than 10,000 documents"):
        spool.take(Put(str(number), b"") for number in range(10_001))
    assert contents(spool) == {}


@pytest.mark.parametrize("key", ["", "a" * 256, "a\nb", "\udcff"])
def test_a_key_that_cannot_be_is_refused(spool: Spool, key: str) -> None:
    with pytest.raises(UsageError, match="idempotency key"):
        spool.take([Put("a", b"1")], key)


def test_a_repeated_key_gets_the_first_reply_and_changes_nothing(spool: Spool, clock: Clock) -> None:
    first = spool.take([Put("a", b"1"), Delete("none")], "key")
    spool.take([Put("a", b"2")])
    clock.moment += timedelta(hours=23)
    assert spool.take([Put("a", b"1", modified_at=clock.moment), Delete("none")], "key") == first
    assert contents(spool) == {"a": b"2"}
    assert spool.held().sequence == 2


@pytest.mark.parametrize(
    "changes",
    [
        [Put("a", b"2")],
        [Put("b", b"1")],
        [Put("a", b"1"), Put("b", b"1")],
        [Put("a", b"1", metadata={"x": "y"})],
        [Delete("a")],
    ],
)
def test_a_key_with_other_content_is_refused(spool: Spool, changes: list[Put | Delete]) -> None:
    spool.take([Put("a", b"1")], "key")
    with pytest.raises(Conflict, match="'key' was used for other content") as caught:
        spool.take(changes, "key")
    assert (caught.value.http_status, caught.value.exit_code) == (409, 2)
    assert contents(spool) == {"a": b"1"}


def test_keys_are_forgotten_after_a_day(spool: Spool, clock: Clock, tmp_path: Path) -> None:
    spool.take([Put("a", b"1")], "key")
    clock.moment += timedelta(hours=24, seconds=1)
    assert outcomes(spool, Put("a", b"2"), key="key") == (2, ["changed"])
    assert query(tmp_path, "SELECT count(*) FROM reply") == [(1,)]


def test_only_the_newest_keys_are_remembered(spool: Spool, tmp_path: Path) -> None:
    spool.take([Put("a", b"1")], "first")
    (row,) = query(tmp_path, "SELECT request, sequence, outcomes, at FROM reply")
    with contextlib.closing(sqlite3.connect(spool_path(tmp_path, NAME) / "spool.sqlite")) as connection, connection:
        many = ((str(number), *row) for number in range(99_999))
        connection.executemany("INSERT INTO reply (key, request, sequence, outcomes, at) VALUES (?,?,?,?,?)", many)
    spool.take([Put("a", b"1")], "first")
    spool.take([Put("a", b"1")], "last")
    assert query(tmp_path, "SELECT count(*), min(number) FROM reply") == [(100_000, 2)]
    with pytest.raises(Conflict):
        spool.take([Put("a", b"2")], "last")
    assert outcomes(spool, Put("a", b"2"), key="first") == (2, ["changed"])


def test_contents_that_no_document_needs_are_gone(tmp_path: Path) -> None:
    spool = Spool(spool_path(tmp_path, NAME), 2**20)
    spool.create()
    file = spool_path(tmp_path, NAME) / "spool.sqlite"
    empty = file.stat().st_size
    for number in range(5):
        spool.take([Put("a", bytes([number]) * 2**20), Put("b", bytes([number + 100]) * 2**20)])
    assert query(tmp_path, "SELECT count(*), sum(length(bytes)) FROM content") == [(2, 2**21)]
    assert file.stat().st_size < 2**21 + 2**17
    spool.take([Delete("a"), Delete("b")])
    assert file.stat().st_size == empty
    assert not file.with_name("spool.sqlite-wal").exists()


def test_what_grew_beyond_the_limit_is_too_large(spool: Spool, tmp_path: Path) -> None:
    spool.take([Put("a", b"1" * 11)])
    small = PushConnector(PushOptions(NAME), workspace=tmp_path, max_bytes=10)
    with pytest.raises(ExtractionError, match="11 bytes, more than the 10") as caught:
        small.fetch(small.poll(None).entries[0])
    assert caught.value.reason == "too large"


def lost(file: Path) -> None:
    file.unlink()


def garbled(file: Path) -> None:
    file.write_bytes(b"no database at all, but longer than its header: " * 100)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [lost, garbled, emptied])
def test_a_harmed_spool_is_unavailable_and_is_not_made_anew(
    spool: Spool, connector: PushConnector, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    spool.take([Put("a", b"1")])
    harm(spool_path(tmp_path, NAME) / "spool.sqlite")
    for act in (
        lambda: connector.poll(None),
        lambda: connector.fetch(Entry("a", "")),
        lambda: spool.take([Delete("a")]),
    ):
        with pytest.raises(SourceUnavailable, match="spool") as caught:
            act()
        assert "\n" not in str(caught.value)


def test_a_source_without_a_spool_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no spool"):
        PushConnector(PushOptions(), workspace=tmp_path).poll(None)
    assert list(tmp_path.iterdir()) == []


def test_a_discarded_spool_takes_nothing_and_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    spool.take([Put("a", b"1")])
    spool.discard()
    spool.discard()
    assert list((tmp_path / "push").iterdir()) == []
    with pytest.raises(SourceUnavailable, match="is lost"):
        spool.take([Put("a", b"1")])
