"""Hybrid search as of a version: candidates from both sides under one filter, fused, and brought home with proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from kb.analysis import analyse
from kb.catalog import Connection, documents, snapshots, terms
from kb.embedding.protocol import Embedder, Vectors
from kb.embedding.query import embed_query
from kb.errors import Corrupt, UsageError
from kb.layout import Layout, chunk_ids
from kb.nouns import FOREVER, DocumentVersion, Hit, Mode, Provenance, Scores, Snapshot
from kb.search.bm25 import Statistics, exact_scores, scores
from kb.search.filters import Filters, condition
from kb.search.fusion import DEPTH, fuse
from kb.store import Store
from kb.store.chunks import ChunkTable, alive
from kb.store.rows import vectors

LONGEST_QUERY: Final = 10_000
"""Characters."""
MOST_HITS: Final = 1_000
Ranking = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query. Raises UsageError on construction where it cannot be answered."""

    text: str
    k: int = 10
    mode: Mode = "hybrid"
    exact: bool = False
    filters: Filters = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("the query is empty: give some words to search for")
        if len(self.text) > LONGEST_QUERY:
            raise UsageError(f"the query has {len(self.text)} characters; at most {LONGEST_QUERY} are allowed")
        if not 1 <= self.k <= MOST_HITS:
            raise UsageError(f"k must be from 1 to {MOST_HITS}, not {self.k}")
        if self.mode not in ("hybrid", "dense", "bm25"):
            raise UsageError(f"mode must be hybrid, dense or bm25, not {self.mode!r}")


@dataclass(frozen=True, slots=True)
class View:
    """What one search reads: the catalog and the store, as they were at a snapshot."""

    connection: Connection
    store: Store
    table: ChunkTable
    snapshot: Snapshot


def search(view: View, query: Query, embedder: Callable[[], Embedder]) -> tuple[Hit, ...]:
    """The k best hits, ties by chunk id. The embedder is asked for only where the mode needs it."""
    where = f"{alive(view.snapshot.version)} AND {condition(query.filters)}"
    depth = max(DEPTH, query.k)
    dense: Ranking = []
    bm25: Ranking = []
    if query.mode != "bm25":
        vector = embed_query(embedder(), query.text)
        dense = (_exact_dense if query.exact else _dense)(view.table, vector, where, depth)
    if query.mode != "dense":
        bm25 = (_exact_bm25 if query.exact else _bm25)(view, analyse(query.text), where, depth)
    ranking = {"dense": dense, "bm25": bm25}.get(query.mode) or fuse(dense, bm25)
    return _hits(view, ranking[: query.k], _scores(dense, bm25))


def _dense(table: ChunkTable, vector: Vectors, where: str, depth: int) -> Ranking:
    found = [chunk for chunk, _ in table.nearest(vector, where, depth)]
    rows = table.some(found, where, ["chunk_id", "vector"])
    return _ranked(rows["chunk_id"].to_pylist(), similarities(vectors(rows), vector), depth)


def _exact_dense(table: ChunkTable, vector: Vectors, where: str, depth: int) -> Ranking:
    best: Ranking = []
    for batch in table.scan(where, ["chunk_id", "vector"]):
        ids = batch.column("chunk_id").to_pylist()
        best = sorted(
            best + _ranked(ids, similarities(vectors(batch), vector), depth), key=lambda pair: (-pair[1], pair[0])
        )[:depth]
    return best


def similarities(rows: Vectors, vector: Vectors) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Cosine similarity of unit vectors, summed row by row in double precision: equal whatever rows stand beside."""
    products = rows.astype(np.float64) * vector.astype(np.float64)
    similarity: np.ndarray[tuple[int], np.dtype[np.float64]] = products.sum(axis=1)
    return similarity


def _bm25(view: View, query: Sequence[str], where: str, depth: int) -> Ranking:
    found = view.table.matching(sorted(set(query)), where, depth)
    rows = view.table.some(found, where, ["chunk_id", "tokens"])
    candidates = [tokens.split() for tokens in rows["tokens"].to_pylist()]
    return _ranked(rows["chunk_id"].to_pylist(), scores(query, candidates, statistics(view, query)), depth)


def _exact_bm25(view: View, query: Sequence[str], where: str, depth: int) -> Ranking:
    # The statistics are those of the whole version, whatever the filters leave of it.
    corpus: dict[str, list[str]] = {}
    for batch in view.table.scan(alive(view.snapshot.version), ["chunk_id", "tokens"]):
        rows = zip(batch.column("chunk_id").to_pylist(), batch.column("tokens").to_pylist(), strict=True)
        corpus.update((chunk, tokens.split()) for chunk, tokens in rows)
    ids = sorted(corpus)
    ranked = _ranked(ids, exact_scores(query, [corpus[chunk] for chunk in ids]), len(ids))
    matching = [pair for pair in ranked if pair[1] > 0]
    batches = view.table.scan(where, ["chunk_id"])
    allowed = {chunk for batch in batches for chunk in batch.column("chunk_id").to_pylist()}
    return [pair for pair in matching if pair[0] in allowed][:depth]


def statistics(view: View, query: Sequence[str]) -> Statistics:
    """BM25's statistics of the snapshot, for the terms of the query."""
    version = view.snapshot.version
    return Statistics(
        chunks=view.snapshot.chunks.total,
        tokens=snapshots.tokens_total(view.connection, version),
        frequencies=terms.frequencies(view.connection, version, query),
    )


def _ranked(ids: Sequence[str], values: np.ndarray[tuple[int], np.dtype[np.float64]], depth: int) -> Ranking:
    pairs = zip(ids, values.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:depth]


def _scores(dense: Ranking, bm25: Ranking) -> dict[str, Scores]:
    by_dense = {chunk: (score, rank) for rank, (chunk, score) in enumerate(dense, 1)}
    by_bm25 = {chunk: (score, rank) for rank, (chunk, score) in enumerate(bm25, 1)}
    return {
        chunk: Scores(*by_dense.get(chunk, (None, None)), *by_bm25.get(chunk, (None, None)))
        for chunk in by_dense.keys() | by_bm25.keys()
    }


def _hits(view: View, ranking: Ranking, parts: Mapping[str, Scores]) -> tuple[Hit, ...]:
    version = view.snapshot.version
    columns = ["chunk_id", "document_id", "text", "text_sha256", "since", "until"]
    rows = {row["chunk_id"]: row for row in view.table.some(dict(ranking), alive(version), columns).to_pylist()}
    owners = documents.some_at(view.connection, version, {row["document_id"] for row in rows.values()})
    layouts = view.store.texts.get(owner.layout for owner in owners.values())
    pipelines = {owner.fingerprint: _embedder_name(view, owner.fingerprint) for owner in owners.values()}
    hits = []
    for rank, (chunk, score) in enumerate(ranking, 1):
        row = rows[chunk]
        owner = owners[row["document_id"]]
        provenance = _provenance(row, owner, layouts[owner.layout], version, pipelines[owner.fingerprint])
        hits.append(Hit(rank, score, parts[chunk], row["text"], chunk, row["document_id"], provenance))
    return tuple(hits)


def _embedder_name(view: View, fingerprint: str) -> str:
    parts = snapshots.pipeline_parts(view.connection, fingerprint)
    if parts is None:
        raise Corrupt(f"pipeline {fingerprint} is not in the catalog: run `kb verify`")
    return str(parts["embedder"])


def _provenance(
    row: Mapping[str, object], owner: DocumentVersion, layout: Layout, version: int, embedder: str
) -> Provenance:
    ids = chunk_ids(owner.document_id, layout.cuts)
    if row["chunk_id"] not in ids:
        raise Corrupt(f"chunk {row['chunk_id']} is not a passage of {owner.source}:{owner.uri}: run `kb verify`")
    passage = layout.passages[ids.index(str(row["chunk_id"]))]
    until = int(str(row["until"]))
    return Provenance(
        source=owner.source,
        uri=owner.uri,
        title=owner.title,
        section=passage.section,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        source_revision=owner.source_revision,
        modified_at=owner.modified_at,
        content_sha256=owner.content_sha256,
        text_sha256=str(row["text_sha256"]),
        version=version,
        since=int(str(row["since"])),
        until=None if until == FOREVER else until,
        fingerprint=owner.fingerprint,
        embedder=embedder,
    )
