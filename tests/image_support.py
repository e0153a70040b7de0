"""Rows as they should be beside a table of them, and what an image of it must name."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from kb.access import Keys
from kb.nouns import FOREVER
from kb.search.bm25 import exact_scores
from kb.store import Store, images, imaging
from kb.store.candidates import Found, Request
from kb.store.chunks import ChunkTable
from kb.store.reader import Reader, patiently
from kb.store.rows import ROW_ID, ChunkRow, living
from kb.store.upkeep import NONE

WORDS = ("alpha", "beta", "alp", "c++", "über")
GROUPS = ("staff", "legal", "sales")
QUERY = ["alpha", "beta", "alpha", "gamma"]
DIMENSIONS = 24
VECTOR = np.eye(1, DIMENSIONS, dtype=np.float32)[0]


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is worth an image, of blocks so small that there are many."""
    for module, name, value in (
        (images, "_ROWS_LEAST", 1),
        (images, "_RESTS", 0.0),
        (imaging, "_BLOCK", 8),
        (imaging, "_READ_AT_ONCE", 3),
        (imaging, "_SMALL", 2),
        (imaging, "_SPARE", 4),
    ):
        monkeypatch.setattr(module, name, value)


@contextmanager
def by_image() -> Iterator[None]:
    """Every search looks over an image, which is made first where none is at hand."""
    overlook = Reader.overlook

    def made(self: Reader, request: Request) -> Found | None:
        self.make_image(request.version)
        return overlook(self, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "_ROWS_LEAST", 1)
        patch.setattr(Reader, "overlook", made)
        yield


class Shelf:
    """Rows as they should be: life span, words, vector and access list by chunk."""

    def __init__(self, place: Path, seed: int = 0) -> None:
        self.place = place
        self.table = Store(place).prepare("space", DIMENSIONS)
        self.rows: dict[str, tuple[int, int, list[str], np.ndarray, tuple[str, ...]]] = {}
        self.version = 0
        self._chance = random.Random(seed)

    def publish(self, born: int = 3, dying: float = 0.2) -> None:
        before = dict(self.rows)
        self.write(born, dying)
        self.version += 1
        assert before.keys() <= self.rows.keys()

    def write(self, born: int, dying: float) -> None:
        """What the next version brings, which may never be published."""
        version = self.version + 1
        gone = [chunk for chunk, row in self.rows.items() if row[1] == FOREVER and self._chance.random() < dying]
        new = [self._row() for _ in range(born)]
        going = self.table.some(gone, f"until = {FOREVER}", ("chunk_id", ROW_ID))
        self.table.write(living(new, version, DIMENSIONS))
        self.table.end(going, version)
        for chunk in gone:
            self.rows[chunk] = (self.rows[chunk][0], version, *self.rows[chunk][2:])
        self.rows |= {row.chunk_id: (version, FOREVER, row.tokens.split(), row.vector, row.access) for row in new}

    def take_back(self) -> None:
        before = dict(self.rows)
        self.write(2, 0.3)
        self.table.recover(self.version)
        self.rows = before

    def permit(self) -> None:
        chunk, groups = self._chance.choice(sorted(self.rows)), tuple(self._chance.sample(GROUPS, 2))
        self.table.permit([chunk], groups)
        self.rows[chunk] = (*self.rows[chunk][:4], groups)

    def forget(self, oldest: int) -> None:
        """As retention does: rows that ended by then."""
        self.table.forget(f"until <= {oldest}")
        self.rows = {chunk: row for chunk, row in self.rows.items() if row[1] > oldest}

    def compact(self) -> None:
        Store(self.place).upkeep(NONE)

    def _row(self) -> ChunkRow:
        chunk = f"{self._chance.getrandbits(128):032x}"
        words = " ".join(self._chance.choices(WORDS, k=self._chance.randint(0, 6)))
        place = {"chunk_id": chunk, "document_id": chunk, "source": "docs", "uri": "a.md", "text_sha256": 2 * chunk}
        vector = np.array([self._chance.gauss(0, 1) for _ in range(DIMENSIONS)], np.float32)
        vector /= np.linalg.norm(vector)
        access = (self._chance.choice(GROUPS),)
        return ChunkRow(**place, text=words, tokens=words, facets=(), access=access, vector=vector)

    def seen(self, version: int, keys: Keys) -> dict[str, tuple[list[str], np.ndarray]]:
        return {
            chunk: (words, vector)
            for chunk, (since, until, words, vector, access) in self.rows.items()
            if since <= version < until and (keys is None or not set(keys).isdisjoint(access))
        }


def asked(version: int, keys: Keys = None, limit: int = 500, condition: str | None = None) -> Request:
    return Request(VECTOR, QUERY, version, keys, condition, limit)


def read(table: ChunkTable, request: Request) -> Found:
    def look() -> Found:
        found = table.overlook(request) or table.find(request, 100)
        return table.read_on(found, found.near.keys() | found.matching.keys())

    return patiently(look)


def compare(shelf: Shelf, found: Found, version: int, keys: Keys, before: str = "") -> None:
    """By the image: all that is seen, and nothing else, with the scores of the reference.

    Of chunks whose id is smaller than `before` where that is given; words count as they do in all that is seen.
    """
    seen = shelf.seen(version, keys)
    wanted = {chunk for chunk in seen if not before or chunk < before}
    assert found.surely is not None
    assert {found.rows[row].chunk_id for row in found.near} == wanted
    for row, cosine in found.near.items():
        assert cosine == pytest.approx(float(seen[found.rows[row].chunk_id][1] @ VECTOR), abs=found.surely.rough)
    assert list(found.near.values()) == sorted(found.near.values(), reverse=True)
    scores = exact_scores(QUERY, [words for words, _ in seen.values()]) if seen else []
    matching = {chunk: score for chunk, score in zip(seen, scores, strict=True) if score > 0 and chunk in wanted}
    assert {found.rows[row].chunk_id: score for row, score in found.matching.items()} == pytest.approx(matching)
    counted = found.surely.statistics
    assert (counted.chunks, counted.tokens) == (len(seen), sum(len(words) for words, _ in seen.values()))
    expected = {word: sum(word in words for words, _ in seen.values()) for word in set(QUERY)}
    assert counted.frequencies == expected
