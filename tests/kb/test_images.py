"""Which image is at hand: made aside, followed, refused, and forgotten."""

from datetime import timedelta

import pytest
from image_support import DIMENSIONS, Shelf, asked, compare, make_small, read

from kb.store import Store, images
from kb.store.chunks import ChunkTable
from kb.store.loop import loop
from kb.store.upkeep import NONE

pytestmark = pytest.mark.usefixtures("small_images")


def made(table: ChunkTable) -> None:
    """Waits for the image that is being made."""

    async def wait() -> None:
        making = table._reader._images._making
        assert making is not None or table._reader._images._image is not None
        if making is not None:
            await making

    loop().run(wait())


def test_a_process_that_goes_on_searching_makes_one_aside(shelf: Shelf) -> None:
    for _ in range(4):
        assert shelf.table.overlook(asked(2)) is None
    made(shelf.table)
    compare(shelf, read(shelf.table, asked(2)), 2, None)


def test_a_small_table_gets_none(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_ROWS_LEAST", 100)
    shelf.table.make_image(2)
    assert all(shelf.table.overlook(asked(2)) is None for _ in range(10))
    assert shelf.table._reader._images._making is None


def test_one_that_would_not_fit_is_not_made(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_MEMORY_MOST", 0.0)
    shelf.table.make_image(2)
    assert shelf.table.overlook(asked(2)) is None


def test_older_versions_stay_at_hand_while_a_new_one_is_taken_up(shelf: Shelf) -> None:
    reader = Store(shelf.place).chunks("space", DIMENSIONS)
    reader.make_image(2)
    shelf.publish()
    assert reader.overlook(asked(3)) is None, "the image does not hold it yet"
    compare(shelf, read(reader, asked(1)), 1, None)
    made(reader)
    compare(shelf, read(reader, asked(3)), 3, None)
    # From now on without a look at the table.
    compare(shelf, read(reader, asked(3)), 3, None)


def test_what_was_closed_is_hidden_at_once(shelf: Shelf) -> None:
    """An image of before would still show it."""
    reader = Store(shelf.place).chunks("space", DIMENSIONS)
    reader.make_image(2)
    compare(shelf, read(reader, asked(2, ("staff",))), 2, ("staff",))
    for _ in range(8):
        shelf.permit()
        found = read(reader, asked(2, ("staff",)))
        assert {found.rows[row].chunk_id for row in found.near} == shelf.seen(2, ("staff",)).keys()
        reader.make_image(2)
        compare(shelf, read(reader, asked(2, ("staff",))), 2, ("staff",))


@pytest.mark.filterwarnings("ignore:optimize.cleanup_older_than=0")
def test_files_that_are_gone_are_done_without(shelf: Shelf) -> None:
    """The image holds on to a version of the table that upkeep has cleaned away meanwhile."""
    reader = Store(shelf.place).chunks("space", DIMENSIONS)
    reader.make_image(2)
    compare(shelf, read(reader, asked(2)), 2, None)
    reader._reader._remembered._rows.clear()
    shelf.compact()
    Store(shelf.place).upkeep(NONE, timedelta(0))
    found = read(reader, asked(2))
    assert {found.rows[row].chunk_id for row in found.near} == shelf.seen(2, None).keys()


def test_where_none_can_be_made_the_indexes_go_on(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    async def fail(*_: object) -> None:
        tried.append("once")
        raise MemoryError("no room")

    monkeypatch.setattr(images, "follow", fail)
    with pytest.warns(UserWarning, match="by the indexes.*no room"):
        answers = [read(shelf.table, asked(2)) for _ in range(8)]
    assert all(found.surely is None for found in answers)
    assert tried == ["once"]
    monkeypatch.undo()
    make_small(monkeypatch)
    shelf.publish()
    assert shelf.table.overlook(asked(3)) is None
    made(shelf.table)
    compare(shelf, read(shelf.table, asked(3)), 3, None)
