"""BM25 with Lucene's idf: rank_bm25's own class as the reference, and the scorer for candidates that equals it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from rank_bm25 import BM25Okapi

from kb.bm25 import K1, B, Floats, Statistics, idf, shares, weight


class LuceneBM25(BM25Okapi):  # type: ignore[misc]
    """rank_bm25 with idf = ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative."""

    def __init__(self, corpus: Sequence[Sequence[str]], terms: Collection[str]) -> None:
        """Counts only `terms`, all that a query needs; the corpus must hold a token."""
        super().__init__([[token for token in chunk if token in terms] for chunk in corpus], k1=K1, b=B)
        self.doc_len = [len(chunk) for chunk in corpus]
        self.avgdl = sum(self.doc_len) / self.corpus_size

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {term: idf(self.corpus_size, frequency) for term, frequency in nd.items()}


def exact_scores(query: Sequence[str], corpus: Sequence[Sequence[str]]) -> Floats:
    """The reference: the score of each chunk of the whole corpus. A term that the query repeats counts each time."""
    if not any(corpus):
        return np.zeros(len(corpus))
    scored: Floats = LuceneBM25(corpus, frozenset(query)).get_scores(query)
    return scored


def scores(query: Sequence[str], candidates: Sequence[Sequence[str]], statistics: Statistics) -> Floats:
    """The scores that `exact_scores` gives these chunks in the corpus that `statistics` describes."""
    if not statistics.tokens or not candidates:
        return np.zeros(len(candidates))
    wanted = frozenset(query)
    occurrences = [Counter(filter(wanted.__contains__, chunk)) for chunk in candidates]
    lengths = np.array([len(chunk) for chunk in candidates], dtype=np.float64)
    scored = np.zeros(len(candidates))
    # Term by term, as rank_bm25 does: a matrix product would round by the number of candidates.
    for term in query:
        counts = np.array([chunk[term] for chunk in occurrences], dtype=np.float64)
        scored += weight(term, statistics) * shares(counts, lengths, statistics)
    return scored
