"""A search's candidates are what lives, wherever the rows moved to and however many dead ones stand before them."""

import random
from collections.abc import Iterable
from pathlib import Path

import lancedb
import numpy as np
import pytest
from lancedb.table import AsyncTable

from kb.nouns import FOREVER
from kb.store import Store
from kb.store.candidates import Found, Request
from kb.store.chunks import ChunkTable
from kb.store.known import KnownRows
from kb.store.loop import loop
from kb.store.rows import ROW_ID, ChunkRow, living
from kb.store.upkeep import NONE

WORD = "alpha"
AHEAD, BESIDE = (1.0, 0.0), (0.6, 0.8)


def write(table: ChunkTable, version: int, born: Iterable[ChunkRow], dying: Iterable[str]) -> None:
    going = table.some(dying, f"until = {FOREVER}", ("chunk_id", ROW_ID))
    table.write(living(list(born), version, table.dimensions))
    table.end(going, version)


def row(chunk: str, vector: tuple[float, float], words: str = WORD) -> ChunkRow:
    place = {"chunk_id": chunk, "document_id": chunk, "source": "docs", "uri": "a.md", "text_sha256": 2 * chunk}
    return ChunkRow(**place, text=words, tokens=words, facets=(), access=("*",), vector=np.array(vector, np.float32))


def find(table: ChunkTable, version: int, limit: int, matches: int) -> Found:
    """All that both sides name for the word, read."""
    request = Request(np.array(AHEAD, np.float32), [WORD], version, None, None, limit)
    found = table.find(request, matches)
    return table.read_on(found, found.near.keys() | found.matching.keys())


def test_what_the_vector_index_lacks_is_measured_as_what_it_covers(tmp_path: Path) -> None:
    """Estimates are cosines, of rows that the index compares roughly and of those that came since it was made."""
    random_ = np.random.default_rng(0)
    vectors = random_.standard_normal((6_300, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [row(f"{number:032}", tuple(vector)) for number, vector in enumerate(vectors)]
    store = Store(tmp_path)
    table = store.prepare("space", 8)
    write(table, 1, rows[:6_000], [])
    store.upkeep(NONE)
    write(table, 2, rows[6_000:], [])
    found = table.find(Request(vectors[0].astype(np.float32), [], 2, None, None, 1_000), 6_300)
    read = table.read_on(found, found.near).rows
    assert {int(one.chunk_id) >= 6_000 for one in read.values()} == {False, True}
    for row_id, estimate in found.near.items():
        assert estimate == pytest.approx(float(read[row_id].vector @ vectors[0]), abs=0.02)
    exact = np.sort(vectors @ vectors[0])[::-1][:20]
    assert list(found.near.values())[:20] == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_known_wherever_they_moved(tmp_path: Path, seed: int) -> None:
    """Another handle publishes, takes back, permits and compacts; the reader sees every row with its life span."""
    random_ = random.Random(seed)
    writer = Store(tmp_path).prepare("space", 2)
    reader = Store(tmp_path).chunks("space", 2)
    version, lives = 0, {}
    for step in range(14):
        deed = random_.choice(["publish", "publish", "take back", "permit", "compact"]) if version else "publish"
        if deed in ("publish", "take back"):
            dying = [chunk for chunk, (_, until) in lives.items() if until == FOREVER and random_.random() < 0.3]
            born = [f"{step:016}{number:016}" for number in range(random_.randint(1, 6))]
            write(writer, version + 1, [row(chunk, BESIDE) for chunk in born], dying)
            if deed == "publish":
                version += 1
                lives |= {chunk: (lives[chunk][0], version) for chunk in dying} | dict.fromkeys(
                    born, (version, FOREVER)
                )
            else:
                writer.recover(version)
        elif deed == "permit":
            writer.permit(random_.sample(sorted(lives), 1), ("staff",))
        else:
            Store(tmp_path).upkeep(NONE)
        for asked in range(1, version + 1):
            expected = {chunk: span for chunk, span in lives.items() if span[0] <= asked < span[1]}
            found = find(reader, asked, 100, max(1, len(expected)))
            assert {one.chunk_id: (one.since, one.until) for one in found.rows.values()} == expected
            assert all(one.text_sha256 == 2 * one.document_id == 2 * one.chunk_id for one in found.rows.values())
            assert len(found.near) == len(found.matching) == len(expected)


def test_dead_rows_that_stand_before_the_living_hide_none(tmp_path: Path) -> None:
    """All that is nearest and matches best is dead: more of it than a side names before it sifts."""
    table = Store(tmp_path).prepare("space", 2)
    old = [row(f"dead{number:028}", AHEAD) for number in range(600)]
    write(table, 1, [*old, *(row(f"fe{number:030}", BESIDE, f"{WORD} beta gamma") for number in range(400))], [])
    write(table, 2, [], [one.chunk_id for one in old])
    found = find(table, 2, 50, 400)
    assert len(found.near) == len(found.matching) == 50
    assert all(one.chunk_id.startswith("fe") for one in found.rows.values())
    assert {one.since for one in found.rows.values()} == {1}
    before = find(table, 1, 50, 1_000)
    assert all(one.chunk_id.startswith("dead") for one in before.rows.values())
    assert {one.until for one in before.rows.values()} == {2}


def test_a_search_that_began_before_a_compaction_knows_its_own_rows(tmp_path: Path) -> None:
    """What is known may be newer than the version that a search holds on to, and lack the places of its rows."""
    table = Store(tmp_path).prepare("space", 2)
    for version in (1, 2, 3):
        write(table, version, [row(f"{version:016}{number:016}", BESIDE) for number in range(3)], [])
    known = KnownRows()

    async def look(before: AsyncTable) -> None:
        found = await before.query().with_row_id().select(["since"]).to_arrow()
        facts = await known.facts(before, found[ROW_ID].to_numpy())
        assert facts["since"].tolist() == found["since"].to_pylist() == [1] * 3 + [2] * 3 + [3] * 3
        assert set(facts["until"].tolist()) == {FOREVER}

    async def compare() -> None:
        path, name = str(tmp_path), "chunks_space"
        before = await (await lancedb.connect_async(path)).open_table(name)
        await before.checkout(await before.version())
        await (await (await lancedb.connect_async(path)).open_table(name)).optimize()
        after = await (await lancedb.connect_async(path)).open_table(name)
        moved = await after.query().with_row_id().select(["since"]).to_arrow()
        facts = await known.facts(after, moved[ROW_ID].to_numpy())
        assert facts["since"].tolist() == moved["since"].to_pylist()
        await look(before)

    loop().run(compare())
