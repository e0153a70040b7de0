"""What BM25 must know of the rows that a caller may see is what counting all of them gives, whatever became of them."""

import random
from pathlib import Path

import numpy as np
import pytest

from kb.nouns import FOREVER
from kb.store import Store
from kb.store.chunks import ChunkTable
from kb.store.rows import ROW_ID, ChunkRow, living
from kb.store.upkeep import NONE

WORDS = ("alpha", "beta", "alp", "c++", "a.b", "über", "alpha-beta")
GROUPS = ("staff", "legal", "sales")
VECTOR = np.array((1.0, 0.0), np.float32)


class Shelf:
    """Rows as they should be: life span, words and access list by chunk."""

    def __init__(self, table: ChunkTable, chance: random.Random) -> None:
        self.table = table
        self.rows: dict[str, tuple[int, int, list[str], tuple[str, ...]]] = {}
        self.version = 0
        self._chance = chance

    def publish(self, born: int, dying: float) -> None:
        self.version += 1
        living_ = [chunk for chunk, row in self.rows.items() if row[1] == FOREVER]
        gone = [chunk for chunk in living_ if self._chance.random() < dying]
        new = {self._name(): self._words() for _ in range(born)}
        access = self._chance.choice(GROUPS)
        going = self.table.some(gone, f"until = {FOREVER}", ("chunk_id", ROW_ID))
        rows = [self._row(chunk, words, (access,)) for chunk, words in new.items()]
        self.table.write(living(rows, self.version, self.table.dimensions))
        self.table.end(going, self.version)
        for chunk in gone:
            self.rows[chunk] = (self.rows[chunk][0], self.version, *self.rows[chunk][2:])
        self.rows |= {chunk: (self.version, FOREVER, words, (access,)) for chunk, words in new.items()}

    def permit(self) -> None:
        chunk, groups = self._chance.choice(sorted(self.rows)), tuple(self._chance.sample(GROUPS, 2))
        self.table.permit([chunk], groups)
        self.rows[chunk] = (*self.rows[chunk][:3], groups)

    def counted(self, version: int, keys: tuple[str, ...]) -> tuple[int, int, dict[str, int]]:
        seen = [
            words
            for since, until, words, access in self.rows.values()
            if since <= version < until and not set(keys).isdisjoint(access)
        ]
        return len(seen), sum(map(len, seen)), {word: sum(word in words for words in seen) for word in WORDS}

    def _name(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"

    def _words(self) -> list[str]:
        return self._chance.choices(WORDS, k=self._chance.randint(0, 4))

    def _row(self, chunk: str, words: list[str], access: tuple[str, ...]) -> ChunkRow:
        text = " ".join(words)
        place = {"chunk_id": chunk, "document_id": chunk, "source": "docs", "uri": "a.md", "text_sha256": 2 * chunk}
        return ChunkRow(**place, text=text, tokens=text, facets=(), access=access, vector=VECTOR)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_all_rows(tmp_path: Path, seed: int) -> None:
    """Few change at a time, so that what is known is carried on; now and then many do, or all rows move."""
    chance = random.Random(seed)
    shelf = Shelf(Store(tmp_path).prepare("space", 2), chance)
    reader = Store(tmp_path).chunks("space", 2)
    shelf.publish(born=60, dying=0)
    for _ in range(20):
        deed = chance.choice(["publish", "publish", "publish", "permit", "compact", "publish much"])
        if deed == "permit":
            shelf.permit()
        elif deed == "compact":
            Store(tmp_path).upkeep(NONE)
        else:
            shelf.publish(born=40 if deed == "publish much" else chance.randint(0, 3), dying=0.02)
        # Terms are asked at different versions, so that some are known of fewer rows than others.
        asked = chance.sample(WORDS, chance.randint(1, len(WORDS)))
        for version in {1, chance.randint(1, shelf.version), shelf.version}:
            for keys in (("staff",), ("legal", "sales")):
                rows, tokens, frequencies = shelf.counted(version, keys)
                found = reader.counted(version, keys, asked)
                assert (found.rows, found.tokens) == (rows, tokens)
                assert found.frequencies == {word: frequencies[word] for word in asked}
