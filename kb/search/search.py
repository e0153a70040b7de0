"""Hybrid search as of a version: candidates from both sides under one filter, fused, and brought home with proof."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from kb.analysis import analyse
from kb.catalog import snapshots, terms
from kb.embedding.protocol import Vectors
from kb.nouns import Hit, Scores
from kb.search.bm25 import Statistics, scores
from kb.search.candidates import exactly, quickly
from kb.search.fusion import fuse
from kb.search.hits import hits
from kb.search.query import Query, View
from kb.search.ranking import Ranking, ranked, similarities
from kb.store.rows import vectors


def search(view: View, query: Query, embed: Callable[[str], Vectors]) -> tuple[Hit, ...]:
    """The k best hits, ties by chunk id. The query's vector is asked for only where the mode needs it.

    Each side names its candidates; all of them are then scored on both sides, so that a hit's score does not depend on
    which side found it.
    """
    vector = embed(query.text) if query.mode != "bm25" else None
    tokens = analyse(query.text) if query.mode != "dense" else []
    found = (exactly if query.exact else quickly)(view, query, vector, tokens)
    dense = _dense(vector, found.rows) if vector is not None else []
    bm25 = _bm25(view, tokens, found.rows) if tokens else []
    fused = fuse(dense, bm25) if query.mode == "hybrid" else dense or bm25
    return hits(view, found.rows, fused[: query.k], _scores(dense, bm25, found.near, found.matching))


def _dense(vector: Vectors, rows: pa.Table) -> Ranking:
    return ranked(rows["chunk_id"].to_pylist(), similarities(vectors(rows), vector))


def _bm25(view: View, query: Sequence[str], rows: pa.Table) -> Ranking:
    """Those of the rows that hold a term of the query, scored with the version's own statistics."""
    candidates = [tokens.split() for tokens in rows["tokens"].to_pylist()]
    scored = ranked(rows["chunk_id"].to_pylist(), scores(query, candidates, statistics(view, query)))
    return [pair for pair in scored if pair[1] > 0]


def statistics(view: View, query: Sequence[str]) -> Statistics:
    """BM25's statistics of the snapshot, for the terms of the query."""
    version = view.snapshot.version
    return Statistics(
        chunks=view.snapshot.chunks.total,
        tokens=snapshots.tokens_total(view.connection, version),
        frequencies=terms.frequencies(view.connection, version, query),
    )


def _scores(dense: Ranking, bm25: Ranking, near: int, matching: int) -> dict[str, Scores]:
    """Both parts of each score; a rank only within the candidates of its own side, beyond which it is not known."""
    by_dense = {chunk: (score, rank if rank <= near else None) for rank, (chunk, score) in enumerate(dense, 1)}
    by_bm25 = {chunk: (score, rank if rank <= matching else None) for rank, (chunk, score) in enumerate(bm25, 1)}
    return {
        chunk: Scores(*by_dense.get(chunk, (None, None)), *by_bm25.get(chunk, (None, None)))
        for chunk in by_dense.keys() | by_bm25.keys()
    }
