"""Blocks of rows in memory tell every word's rows as counting does, and products as nearly as they say."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.store.blocks import Block, count_words, joined, rounded, stretches

WORDS = ("alpha", "beta", "alp", "c++", "über", "文", "文書", "z")
ROWS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=12)


def block(rows: list[list[str]], vectors: np.ndarray) -> Block:
    return Block(rounded(vectors.astype(np.float32)), count_words(pa.array([" ".join(row) for row in rows])))


def told(one: Block) -> list[Counter[str]]:
    """What each row holds, by what is told of each word."""
    rows = [Counter[str]() for _ in range(len(one))]
    for word, held in one.words.of((*WORDS, "gamma", ""), np.ones(len(one), np.bool_)).items():
        for place, count in zip(held.places.tolist(), held.counts.tolist(), strict=True):
            rows[place][word] = int(count)
    return rows


@given(ROWS, ROWS, st.data())
def test_words_are_counted_and_stay_so_when_blocks_are_joined(some, others, data) -> None:
    vectors = np.random.default_rng(0).standard_normal((len(some) + len(others), 8))
    parts = [block(some, vectors[: len(some)]), block(others, vectors[len(some) :])]
    whole = joined(parts)
    assert [told(part) for part in parts] == [[Counter(row) for row in rows] for rows in (some, others)]
    assert told(whole) == [Counter(row) for row in (*some, *others)]
    assert whole.words.lengths.tolist() == [len(row) for row in (*some, *others)]
    query = rounded(vectors[:1].astype(np.float32))
    every = [part.vectors.products(query, slice(0, len(part))) for part in parts]
    assert np.array_equal(whole.vectors.products(query, slice(0, len(whole))), np.concatenate(every))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))))
    for word, held in whole.words.of(WORDS, chosen).items():
        assert held.places.tolist() == [at for at, row in enumerate((*some, *others)) if chosen[at] and word in row]


def test_no_row_holds_a_word_of_nothing() -> None:
    empty = block([[], []], np.ones((2, 4)))
    assert told(empty) == [Counter(), Counter()]
    assert empty.words.lengths.tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["even", "one great dimension", "mostly zeros"])
def test_products_are_off_by_no_more_than_is_said(kind: str) -> None:
    chance = np.random.default_rng(1)
    vectors = chance.standard_normal((5_000, 384))
    if kind == "one great dimension":
        vectors[:, 7] *= 12
    if kind == "mostly zeros":
        vectors[chance.random(vectors.shape) > 0.05] = 0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = rounded(vectors.astype(np.float32))
    for number in range(20):
        query = rounded(vectors[number : number + 1].astype(np.float32))
        off = np.abs(rows.products(query, slice(0, 5_000)) - vectors @ vectors[number])
        assert 0 < off.max() < rows.rough(query) < 0.04


def test_a_vector_of_zeros_is_near_nothing() -> None:
    rows, query = rounded(np.zeros((3, 8), np.float32)), rounded(np.ones((1, 8), np.float32))
    assert rows.products(query, slice(0, 3)).tolist() == [0, 0, 0]


@given(st.lists(st.integers(0, 20_000), max_size=4), st.integers(20_001, 30_000))
def test_stretches_hold_all_that_is_chosen_once(places, rows) -> None:
    chosen = np.zeros(rows, np.bool_)
    chosen[places] = True
    found = list(stretches(chosen))
    held = np.concatenate([np.arange(rows)[one] for one in found]) if found else np.zeros(0, int)
    assert len(np.unique(held)) == len(held)
    assert set(places) <= set(held.tolist())
    assert len(held) <= 4_096 * len(set(places))
