"""BM25: the candidates' scorer equals the reference, and the reference equals Lucene's formula."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.bm25 import K1, B, Statistics
from kb.search.bm25 import exact_scores, scores

TERMS = st.sampled_from(["ant", "bee", "cat", "dog", "eel"])
CHUNKS = st.lists(TERMS, max_size=12)
CORPORA = st.lists(CHUNKS, max_size=20)
QUERIES = st.lists(TERMS | st.just("unknown"), max_size=8)


def statistics_of(corpus: list[list[str]]) -> Statistics:
    frequencies = Counter(term for chunk in corpus for term in set(chunk))
    return Statistics(len(corpus), sum(map(len, corpus)), frequencies)


def lucene(query: list[str], chunk: list[str], corpus: list[list[str]]) -> float:
    """The formula, written out."""
    average = sum(map(len, corpus)) / len(corpus)
    total = 0.0
    for term in query:
        holding = sum(term in other for other in corpus)
        weight = math.log(1 + (len(corpus) - holding + 0.5) / (holding + 0.5))
        count = chunk.count(term)
        total += weight * count * (K1 + 1) / (count + K1 * (1 - B + B * len(chunk) / average))
    return total


@given(QUERIES, CORPORA)
def test_candidates_score_as_the_reference_does(query: list[str], corpus: list[list[str]]) -> None:
    assert scores(query, corpus, statistics_of(corpus)).tolist() == exact_scores(query, corpus).tolist()


@given(QUERIES, CORPORA.filter(any))
def test_the_reference_follows_the_formula(query: list[str], corpus: list[list[str]]) -> None:
    expected = [lucene(query, chunk, corpus) for chunk in corpus]
    np.testing.assert_allclose(exact_scores(query, corpus), expected, rtol=0, atol=1e-9)


@given(QUERIES, CORPORA.filter(any), st.data())
def test_a_score_does_not_hang_on_the_other_candidates(
    query: list[str], corpus: list[list[str]], data: st.DataObject
) -> None:
    some = data.draw(st.lists(st.sampled_from(range(len(corpus))), unique=True))
    alone = [float(scores(query, [corpus[row]], statistics_of(corpus))[0]) for row in some]
    assert scores(query, [corpus[row] for row in some], statistics_of(corpus)).tolist() == alone


def test_a_term_in_every_chunk_still_counts() -> None:
    assert min(exact_scores(["ant"], [["ant"], ["ant", "bee"]])) > 0


def test_a_repeated_query_term_counts_each_time() -> None:
    corpus = [["ant", "bee"], ["cat"]]
    once, twice = exact_scores(["ant"], corpus), exact_scores(["ant", "ant"], corpus)
    assert twice[0] == pytest.approx(2 * once[0])


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_tokens_scores_nothing(corpus: list[list[str]]) -> None:
    assert exact_scores(["ant"], corpus).tolist() == [0.0] * len(corpus)
    assert scores(["ant"], corpus, statistics_of(corpus)).tolist() == [0.0] * len(corpus)
