"""What counts as a change of a row, on SQLite and on PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
from sql_shop import Shop
from workbench import Workbench

import kb
from indexer.progress import Event


def test_every_column_that_makes_the_document_tells_of_changes(shop: Shop) -> None:
    shop.fill("id integer, body text, name text, tag text, other text", "1, 'b', 'n', 't', 'o'")
    connector = shop.connector(title="name", metadata=("tag",))
    stamps = [connector.poll(None).entries[0].stamp]
    for column in ("body", "name", "tag", "other"):
        shop.execute(f"UPDATE page SET {column} = 'new'")
        stamps.append(connector.poll(None).entries[0].stamp)
    assert len(set(stamps)) == 4
    assert stamps[3] == stamps[4]


def test_a_settled_watermark_spares_reading_the_text(shop: Shop) -> None:
    shop.fill("id integer, body text, edited timestamp", "1, 'old', '2020-01-01 00:00:00'")
    connector = shop.connector(updated_at="edited")
    before = connector.poll(None).entries
    shop.execute("UPDATE page SET body = 'changed behind the watermark'")
    assert connector.poll(None).entries == before
    shop.execute("UPDATE page SET edited = '2020-01-01 00:00:01'")
    assert connector.poll(None).entries != before


@pytest.mark.parametrize("edited", ["CURRENT_TIMESTAMP", "CURRENT_DATE", "NULL"])
def test_two_edits_of_one_watermark_are_two_changes(shop: Shop, edited: str) -> None:
    shop.fill("id integer, body text, edited text", f"1, 'one', {edited}", "2, 'two', '2020-01-01'")
    connector = shop.connector(updated_at="edited")
    first, second = connector.poll(None).entries
    shop.execute("UPDATE page SET body = 'new' WHERE id = 1")
    after = connector.poll(None).entries
    assert after[0].stamp != first.stamp
    assert after[1] == second


def test_many_fresh_rows_are_read_in_one_pass(shop: Shop) -> None:
    shop.fill("id integer, body text, edited text")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
    shop.execute(
        f"{numbers}INSERT INTO page SELECT i, 'words ' || i, NULL FROM n"
        if shop.url.startswith("postgresql")
        else f"INSERT INTO page {numbers}SELECT i, 'words ' || i, NULL FROM n"
    )
    listing = shop.connector(updated_at="edited").poll(None)
    assert {entry.uri: entry.stamp for entry in listing.entries} == {
        entry.uri: entry.stamp for entry in shop.connector().poll(None).entries
    }
    assert len(listing.entries) == 2500


@pytest.mark.parametrize("change", [{"text": ("id",)}, {"title": "body"}, {"metadata": ("body",)}, {"key": ("body",)}])
def test_other_options_are_other_stamps(shop: Shop, change: dict[str, Any]) -> None:
    shop.fill("id integer, body text, edited text", "1, '1', '2020-01-01'")
    one = shop.connector(updated_at="edited").poll(None).entries[0]
    other = shop.connector(updated_at="edited", **change).poll(None).entries[0]
    assert (one.uri, one.stamp == other.stamp) == (other.uri, False)


def test_the_time_of_a_document_is_its_watermark(shop: Shop) -> None:
    shop.fill("id integer, body text, edited text", "1, 'x', '2020-01-01T02:00:00+02:00'", "2, 'x', NULL")
    connector = shop.connector(updated_at="edited")
    moments = [connector.fetch(entry).modified_at for entry in connector.poll(None).entries]
    assert [moment and moment.isoformat() for moment in moments] == ["2020-01-01T00:00:00+00:00", None]


def test_a_row_that_moved_on_brings_its_own_stamp(shop: Shop) -> None:
    shop.fill("id integer, body text", "1, 'one'")
    connector = shop.connector()
    (listed,) = connector.poll(None).entries
    assert connector.fetch(listed).stamp is None
    shop.execute("UPDATE page SET body = 'two'")
    assert connector.fetch(listed).stamp == connector.poll(None).entries[0].stamp != listed.stamp


@pytest.mark.parametrize("updated_at", [None, "edited"])
def test_a_row_that_changed_between_the_listing_and_the_reading_and_then_back(
    shop: Shop, tmp_path: Path, updated_at: str | None
) -> None:
    shop.fill("id integer, body text, edited text", "1, 'first words', NULL")
    bench = Workbench(tmp_path, 16)
    bench.add_unregistered("pages")

    def meddle(event: Event) -> None:
        if event.step == "fetch":
            shop.execute("UPDATE page SET body = 'passing words'")

    def text() -> str:
        with kb.open(bench.home.path) as base:
            return base.document("pages:1").text

    bench.sync_with("pages", shop.connector(updated_at=updated_at), observe=meddle)
    assert text() == "passing words"
    shop.execute("UPDATE page SET body = 'first words'")
    bench.sync_with("pages", shop.connector(updated_at=updated_at))
    assert text() == "first words"
    assert bench.sync_with("pages", shop.connector(updated_at=updated_at)).published == []
    bench.close()
