"""The image names what lives and is open, with the scores that it has, whatever became of the rows meanwhile."""

import random
from pathlib import Path

import pytest
from image_support import DIMENSIONS, QUERY, VECTOR, Shelf, asked, compare, read

from kb.nouns import FOREVER
from kb.store import Store, imaging
from kb.store.candidates import Request
from kb.store.rows import ChunkRow, living

pytestmark = pytest.mark.usefixtures("small_images")


@pytest.mark.parametrize("seed", range(6))
def test_an_image_that_follows_names_what_lives_and_is_open(tmp_path: Path, seed: int) -> None:
    """Another handle writes; the image is brought up to date now and then, or is made at the end."""
    chance = random.Random(seed)
    shelf = Shelf(tmp_path, seed)
    shelf.publish(born=20, dying=0)
    reader, late = (Store(tmp_path).chunks("space", DIMENSIONS) for _ in range(2))
    oldest = 1
    for _ in range(25):
        deed = chance.choice(["publish", "publish", "publish", "take back", "permit", "compact", "forget", "much"])
        if deed == "forget":
            oldest = chance.randint(oldest, shelf.version)
            shelf.forget(oldest)
        elif deed == "much":
            shelf.publish(born=30, dying=0.6)
        else:
            {"publish": shelf.publish, "take back": shelf.take_back, "permit": shelf.permit, "compact": shelf.compact}[
                deed
            ]()
        if chance.random() < 0.7:
            reader.make_image(shelf.version)
            for version in {oldest, chance.randint(oldest, shelf.version), shelf.version}:
                for keys in (None, ("staff",), ("legal", "sales")):
                    compare(shelf, read(reader, asked(version, keys)), version, keys)
    late.make_image(shelf.version)
    for version in range(oldest, shelf.version + 1):
        compare(shelf, read(late, asked(version)), version, None)


def test_each_side_names_its_best_and_tells_both_scores_of_all_that_is_named(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.publish(born=60, dying=0)
    shelf.table.make_image(1)
    every, few = (read(shelf.table, asked(1, limit=limit)) for limit in (500, 5))
    assert list(few.near) == list(every.near)[:5]
    assert list(few.matching) == list(every.matching)[:5]
    assert few.surely is not None
    assert set(few.surely.ids.tolist()) == few.near.keys() | few.matching.keys()
    for row, cosine, score in zip(few.surely.ids.tolist(), few.surely.cosines, few.surely.bm25, strict=True):
        assert cosine == every.near[row]
        assert score == every.matching.get(row, 0)


def test_ties_are_cut_by_chunk_id(tmp_path: Path) -> None:
    """Among very many that score alike, however they stand in the image."""
    shelf = Shelf(tmp_path)
    shelf.publish(born=40, dying=0)
    shelf.publish(born=40, dying=0.5)
    shelf.table.make_image(2)
    every = read(shelf.table, asked(2))
    ranked = sorted(((-score, every.rows[row].chunk_id) for row, score in every.matching.items()))
    assert len({score for score, _ in ranked}) < len(ranked), "there are ties"
    for limit in range(1, len(ranked)):
        few = read(shelf.table, asked(2, limit=limit))
        assert [few.rows[row].chunk_id for row in few.matching] == [chunk for _, chunk in ranked[:limit]]


def test_what_one_image_selected_says_nothing_of_another(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images of one version of the table have their rows in different orders."""
    reader = Store(shelf.place).chunks("space", DIMENSIONS)
    reader.make_image(1)
    shelf.publish(born=9, dying=0.4)
    reader.make_image(3)
    compare(shelf, read(reader, asked(3, ("staff",))), 3, ("staff",))
    monkeypatch.setattr(imaging, "_LARGER_MOST", 0.0)
    monkeypatch.setattr(imaging, "_SPARE", 0)
    reader.make_image(3)
    compare(shelf, read(reader, asked(3, ("staff",))), 3, ("staff",))


@pytest.mark.parametrize(("vector", "tokens"), [(None, QUERY), (VECTOR, []), (None, [])])
def test_a_side_that_is_not_asked_names_nothing(tmp_path: Path, vector, tokens) -> None:
    shelf = Shelf(tmp_path)
    shelf.publish(born=10, dying=0)
    shelf.table.make_image(1)
    found = shelf.table.overlook(Request(vector, tokens, 1, None, None, 500))
    assert found is not None
    assert found.surely is not None
    assert (found.near == {}) == (vector is None)
    assert (found.matching == {}) == (not tokens)


@pytest.mark.parametrize("keys", [None, ("staff",)])
def test_what_meets_a_condition_is_scored_as_among_all_that_is_visible(shelf: Shelf, keys) -> None:
    shelf.table.make_image(2)
    for before in ("0", "4", "c", "g"):
        found = read(shelf.table, asked(2, keys, condition=f"chunk_id < '{before}'"))
        compare(shelf, found, 2, keys, before)


def test_a_chunk_that_was_taken_back_may_come_again_with_other_words(shelf: Shelf) -> None:
    """As the same chunk of the same version: it was cut and analysed anew meanwhile."""
    shelf.write(1, 0)
    chunk = max(shelf.rows, key=lambda one: shelf.rows[one][0])
    shelf.table.make_image(2)
    shelf.table.recover(2)
    _, _, _, vector, access = shelf.rows[chunk]
    place = {"chunk_id": chunk, "document_id": chunk, "source": "docs", "uri": "a.md", "text_sha256": 2 * chunk}
    again = ChunkRow(**place, text="beta", tokens="beta", facets=(), access=access, vector=vector)
    shelf.table.write(living([again], 3, DIMENSIONS))
    shelf.rows[chunk] = (3, FOREVER, ["beta"], vector, access)
    shelf.table.make_image(3)
    compare(shelf, read(shelf.table, asked(3)), 3, None)
