"""Candidates of a search: the chunks that each side names, found by the indexes or by looking at every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from kb.access import keys_of
from kb.embedding.protocol import Vectors
from kb.search.bm25 import exact_scores
from kb.search.filters import AsOf, condition
from kb.search.fusion import DEPTH, promising
from kb.search.query import Query, View
from kb.search.ranking import Ranking, by_score, ranked, similarities
from kb.store.candidates import Estimates, Request
from kb.store.chunks import alive, any_of
from kb.store.rows import vectors

_COLUMNS: Final = ("chunk_id", "document_id", "text_sha256", "text", "since", "until")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows of the candidates, each once; and what each side named, with its scores or estimates of them."""

    rows: pa.Table
    near: Estimates
    matching: Estimates


def quickly(view: View, query: Query, vector: Vectors | None, tokens: Sequence[str]) -> Candidates:
    """By the indexes. Rows are read of those alone that, by what the indexes estimate, may be among the hits."""
    where, depth = _visible(view, query), max(DEPTH, query.k)
    everything = not query.filters and query.groups is None
    matches = view.snapshot.chunks.total if everything else view.table.count(where)
    # A word that the query repeats counts each time, here as in the score.
    near, matching = view.table.candidates(Request(vector, tokens, where, matches, depth))
    rows = view.table.some(promising(near, matching, query.k, depth), where, _columns(vector, tokens))
    return Candidates(rows, near, matching)


def exactly(view: View, query: Query, vector: Vectors | None, tokens: Sequence[str]) -> Candidates:
    """By comparing and scoring every row that lives."""
    where, depth = _visible(view, query), max(DEPTH, query.k)
    near = dict(_nearest(view, vector, where, depth)) if vector is not None else {}
    matching = dict(_best_matching(view, tokens, where, depth)) if tokens else {}
    rows = view.table.some(near.keys() | matching.keys(), where, _columns(vector, tokens))
    return Candidates(rows, near, matching)


def _visible(view: View, query: Query) -> str:
    """The rows that live at the version, that the filters leave and that the caller may see."""
    version = view.snapshot.version
    filtered = f"{alive(version)} AND {condition(query.filters, AsOf(view.connection, version))}"
    return filtered if query.groups is None else f"{filtered} AND {any_of('access', keys_of(query.groups))}"


def _columns(vector: Vectors | None, tokens: Sequence[str]) -> list[str]:
    """What is needed of a row, and no more: each column of each row is a read of its own."""
    return [*_COLUMNS, *(["vector"] if vector is not None else []), *(["tokens"] if tokens else [])]


def _nearest(view: View, vector: Vectors, where: str, depth: int) -> Ranking:
    best: Ranking = []
    for batch in view.table.scan(where, ["chunk_id", "vector"]):
        found = ranked(batch.column("chunk_id").to_pylist(), similarities(vectors(batch), vector))
        best = sorted(best + found[:depth], key=by_score)[:depth]
    return best


def _best_matching(view: View, query: Sequence[str], where: str, depth: int) -> Ranking:
    """By the reference's scores. Their statistics are those of the whole version, whatever the filters leave of it."""
    corpus: dict[str, list[str]] = {}
    for batch in view.table.scan(alive(view.snapshot.version), ["chunk_id", "tokens"]):
        rows = zip(batch.column("chunk_id").to_pylist(), batch.column("tokens").to_pylist(), strict=True)
        corpus.update((chunk, tokens.split()) for chunk, tokens in rows)
    ids = sorted(corpus)
    scored = ranked(ids, exact_scores(query, [corpus[chunk] for chunk in ids]))
    batches = view.table.scan(where, ["chunk_id"])
    allowed = {chunk for batch in batches for chunk in batch.column("chunk_id").to_pylist()}
    return [(chunk, score) for chunk, score in scored if score > 0 and chunk in allowed][:depth]
