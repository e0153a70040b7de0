"""The fusion: one ranking of all candidates, the same whatever order they come in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.fusion import DENSE_WEIGHT, bounds, first, further, fuse, sure_bounds, surest

IDS = st.text("abcdef", min_size=1, max_size=2)
COSINES = st.dictionaries(IDS, st.floats(-1, 1))
SCORES = st.dictionaries(IDS, st.floats(0.01, 50))


@given(COSINES, SCORES, st.randoms(use_true_random=False))
def test_every_candidate_once_best_first_in_any_order(dense, bm25, random) -> None:
    fused = fuse(list(dense.items()), list(bm25.items()))
    assert {chunk for chunk, _ in fused} == dense.keys() | bm25.keys()
    assert len(fused) == len(dense.keys() | bm25.keys())
    assert fused == sorted(fused, key=lambda pair: (-pair[1], pair[0]))
    shuffled = [random.sample(list(side.items()), len(side)) for side in (dense, bm25)]
    assert fuse(*shuffled) == fused


@given(COSINES, SCORES)
def test_better_on_both_sides_is_never_worse(dense, bm25) -> None:
    scores = dict(fuse(list(dense.items()), list(bm25.items())))
    for one in dense.keys() & bm25.keys():
        for other in dense.keys() & bm25.keys():
            if dense[one] >= dense[other] and bm25[one] >= bm25[other]:
                assert scores[one] >= scores[other]


@given(COSINES, SCORES, st.floats(0.1, 100))
def test_the_unit_of_bm25_does_not_matter(dense, bm25, factor) -> None:
    plain = dict(fuse(list(dense.items()), list(bm25.items())))
    scaled = dict(fuse(list(dense.items()), [(chunk, score * factor) for chunk, score in bm25.items()]))
    assert scaled == pytest.approx(plain)


@given(st.dictionaries(IDS, st.tuples(st.floats(-1, 1), st.floats(0, 50)), min_size=1), st.data())
def test_other_candidates_do_not_move_a_score(both, data) -> None:
    best = max(both, key=lambda chunk: both[chunk][1])
    kept = data.draw(st.sets(st.sampled_from(sorted(both)))) | {best}
    some, whole = (
        fuse([(chunk, both[chunk][0]) for chunk in ids], [(chunk, both[chunk][1]) for chunk in ids])
        for ids in (sorted(kept), sorted(both))
    )
    assert some == [pair for pair in whole if pair[0] in kept]


@given(COSINES)
def test_alone_a_side_keeps_its_order(dense) -> None:
    alone = sorted(dense.items(), key=lambda pair: (-pair[1], pair[0]))
    scores = dict(fuse(alone, []))
    assert all(scores[chunk] == DENSE_WEIGHT * cosine for chunk, cosine in alone)


def test_ties_go_by_id() -> None:
    assert [chunk for chunk, _ in fuse([("b", 0.5), ("a", 0.5)], [("b", 2.0), ("a", 2.0)])] == ["a", "b"]


def test_found_by_both_outranks_found_by_one() -> None:
    fused = fuse([("dense", 0.5), ("both", 0.5), ("last", 0.4)], [("bm25", 9.0), ("both", 9.0)])
    assert fused[0][0] == "both"


@given(
    st.dictionaries(st.integers(0, 60), st.tuples(st.floats(0, 1), st.floats(0.1, 9)), min_size=1),
    st.integers(1, 5),
    st.integers(1, 30),
)
def test_reading_on_finds_the_best_of_all_that_is_named(both, needed, depth) -> None:
    """The sides name their best alone; what one of them does not name is bounded, until it is read."""
    dense, bm25 = (
        dict(sorted(((one, pair[side]) for one, pair in both.items()), key=lambda pair: -pair[1])[:depth])
        for side in (0, 1)
    )
    named = {one: both[one] for one in dense.keys() | bm25.keys()}
    truth = fuse([(one, pair[0]) for one, pair in named.items()], [(one, pair[1]) for one, pair in named.items()])
    most = bounds("hybrid", dense, bm25, depth)
    assert all(most[one] >= score - 1e-9 for one, score in truth)
    read = set()
    more = first(most, bm25, needed)
    while more:
        read |= set(more)
        found = fuse([(one, both[one][0]) for one in read], [(one, both[one][1]) for one in read])
        more = further(most, found[needed - 1][1] if len(found) >= needed else -math.inf, read)
        assert not read & set(more)
    assert found[:needed] == truth[:needed]


@given(
    st.dictionaries(
        st.integers(0, 60), st.tuples(st.floats(-1, 1), st.floats(0, 9), st.floats(-0.99, 0.99)), min_size=1
    ),
    st.integers(1, 5),
    st.floats(0.001, 0.2),
    st.sampled_from(["hybrid", "dense", "bm25"]),
)
def test_the_best_are_among_the_surest_however_far_estimates_are_off(known, needed, rough, mode) -> None:
    """Of ids whose cosines are known roughly, and whose BM25 scores exactly."""
    ids = list(known)
    cosines, bm25 = ({one: known[one][side] for one in ids} for side in (0, 1))
    holding = [(one, score) for one, score in bm25.items() if score]
    truth = {"hybrid": dict(fuse(list(cosines.items()), holding)), "dense": cosines, "bm25": bm25}[mode]
    nearly = np.array([known[one][0] + rough * known[one][2] for one in ids])
    most = sure_bounds(mode, nearly, np.array(list(bm25.values())), rough)
    named = dict(sorted(zip(ids, most.tolist(), strict=True), key=lambda pair: -pair[1]))
    ranked = sorted(bm25, key=lambda one: -bm25[one])
    read = surest(named, ranked, needed, rough)
    least = sorted(truth.values(), reverse=True)[:needed][-1]
    assert {one for one, score in truth.items() if score > least} <= read
    assert sum(truth[one] >= least for one in read) >= min(needed, len(ids))
    assert ranked[0] in read, "the best by BM25 scales all others"


def test_nothing_found_fuses_to_nothing() -> None:
    assert fuse([], []) == []
