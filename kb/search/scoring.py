"""Scoring: every candidate on both sides, fused; chunks of one text folded into one."""

from collections.abc import Sequence

import numpy as np

from kb.access import Keys
from kb.bm25 import Statistics
from kb.embedding.protocol import Vectors
from kb.nouns import Scores
from kb.search.bm25 import scores
from kb.search.candidates import Asked, Candidates, Named
from kb.search.fusion import fuse
from kb.search.query import Query, View
from kb.search.ranking import Ranking, ranked, similarities
from kb.search.texts import Scored, fold
from kb.store.rows import WholeRow


def score(view: View, query: Query, asked: Asked, found: Candidates) -> list[Scored]:
    """The candidates' texts, best first, ties by chunk id."""
    dense = _dense(asked.vector, found.rows) if asked.vector is not None else []
    bm25 = _bm25(view, query, asked.tokens, found) if asked.tokens else []
    fused = fuse(dense, bm25) if query.mode == "hybrid" else dense or bm25
    digests = {row.chunk_id: row.text_sha256 for row in found.rows}
    return fold(fused, digests, _scores(dense, bm25, found))


def _dense(vector: Vectors, rows: Sequence[WholeRow]) -> Ranking:
    stacked = np.stack([row.vector for row in rows]) if rows else np.zeros((0, len(vector)), np.float32)
    return ranked([row.chunk_id for row in rows], similarities(stacked, vector))


def _bm25(view: View, query: Query, tokens: Sequence[str], found: Candidates) -> Ranking:
    """Those of the rows that hold a term of the query, scored with the version's own statistics."""
    surely = found.found.surely if found.found is not None else None
    known = surely.statistics if surely is not None else statistics(view, tokens, query.keys)
    chunks = [row.chunk_id for row in found.rows]
    scored = ranked(chunks, scores(tokens, [row.tokens.split() for row in found.rows], known))
    return [pair for pair in scored if pair[1] > 0]


def statistics(view: View, query: Sequence[str], keys: Keys = None) -> Statistics:
    """BM25's statistics of the snapshot, for the terms of the query; of what is open to the caller alone."""
    if keys is None:
        return view.frequencies.statistics(view.connection, view.snapshot, query)
    counted = view.table.counted(view.snapshot.version, keys, query)
    return Statistics(counted.rows, counted.tokens, counted.frequencies)


def _scores(dense: Ranking, bm25: Ranking, found: Candidates) -> dict[str, Scores]:
    """Both parts of each score; a rank only among what its own side named, beyond which it is not known."""
    dense_ranks, bm25_ranks = _ranks(found.near, dense), _ranks(found.matching, bm25)
    cosines, scores = dict(dense), dict(bm25)
    return {
        chunk: Scores(cosines.get(chunk), dense_ranks.get(chunk), scores.get(chunk), bm25_ranks.get(chunk))
        for chunk in cosines.keys() | scores.keys()
    }


def _ranks(named: Named, scored: Ranking) -> dict[str, int]:
    """Counted from 1 among all that the side named; those that were not read stand at their estimates."""
    own = [(chunk, score) for chunk, score in scored if chunk in named.read]
    ahead = len(named.unread) - np.searchsorted(named.unread, [score for _, score in own], "right")
    return {chunk: place + int(more) for place, ((chunk, _), more) in enumerate(zip(own, ahead, strict=True), 1)}
