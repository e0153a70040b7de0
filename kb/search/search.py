"""Hybrid search as of a version: candidates from both sides under one filter, fused, and brought home with proof."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from kb.access import keys_of
from kb.analysis import analyse
from kb.catalog import Connection, documents, snapshots, terms
from kb.embedding.protocol import Vectors
from kb.errors import Corrupt, UsageError
from kb.layout import chunk_ids
from kb.nouns import FOREVER, DocumentVersion, Hit, Mode, Passage, Provenance, Scores, Snapshot
from kb.search.bm25 import Statistics, exact_scores, scores
from kb.search.filters import AsOf, Filters, condition
from kb.search.fusion import DEPTH, fuse
from kb.store import Store
from kb.store.chunks import ChunkTable, alive, any_of
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
    groups: Sequence[str] | None = None
    """Those of the caller; None for one who may see everything."""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("the query is empty: give some words to search for")
        if any("\ud800" <= character <= "\udfff" for character in self.text):
            raise UsageError("the query is not valid Unicode: give it as UTF-8")
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


def search(view: View, query: Query, embed: Callable[[str], Vectors]) -> tuple[Hit, ...]:
    """The k best hits, ties by chunk id. The query's vector is asked for only where the mode needs it.

    Each side names its candidates; all of them are then scored on both sides, so that a hit's score does not depend on
    which side found it.
    """
    where = _visible(view, query)
    depth = max(DEPTH, query.k)
    vector = embed(query.text) if query.mode != "bm25" else None
    tokens = analyse(query.text) if query.mode != "dense" else []
    near = _near(view, vector, where, depth, query.exact) if vector is not None else []
    matching = _matching(view, tokens, where, depth, query.exact) if tokens else []
    rows = view.table.some({*near, *matching}, where, ["chunk_id", "vector", "tokens"])
    dense = _ranked(rows["chunk_id"].to_pylist(), similarities(vectors(rows), vector)) if vector is not None else []
    bm25 = _bm25(view, tokens, rows) if tokens else []
    fused = fuse(dense, bm25) if query.mode == "hybrid" else dense or bm25
    return _hits(view, fused[: query.k], _scores(dense, bm25, len(near), len(matching)))


def _visible(view: View, query: Query) -> str:
    """The rows that live at the version, that the filters leave and that the caller may see."""
    version = view.snapshot.version
    filtered = f"{alive(version)} AND {condition(query.filters, AsOf(view.connection, version))}"
    return filtered if query.groups is None else f"{filtered} AND {any_of('access', keys_of(query.groups))}"


def _near(view: View, vector: Vectors, where: str, depth: int, exact: bool) -> list[str]:
    """The chunks nearest to the query, at most `depth`; with `exact` every row is compared."""
    if not exact:
        return [chunk for chunk, _ in view.table.nearest(vector, where, depth)]
    best: Ranking = []
    for batch in view.table.scan(where, ["chunk_id", "vector"]):
        found = _ranked(batch.column("chunk_id").to_pylist(), similarities(vectors(batch), vector))
        best = sorted(best + found[:depth], key=_by_score)[:depth]
    return [chunk for chunk, _ in best]


def _matching(view: View, query: Sequence[str], where: str, depth: int, exact: bool) -> list[str]:
    """The chunks of highest BM25 score, at most `depth`; with `exact` every live chunk is scored by the reference."""
    if not exact:
        return view.table.matching(sorted(set(query)), where, depth)
    # The statistics are those of the whole version, whatever the filters leave of it.
    corpus: dict[str, list[str]] = {}
    for batch in view.table.scan(alive(view.snapshot.version), ["chunk_id", "tokens"]):
        rows = zip(batch.column("chunk_id").to_pylist(), batch.column("tokens").to_pylist(), strict=True)
        corpus.update((chunk, tokens.split()) for chunk, tokens in rows)
    ids = sorted(corpus)
    ranked = _ranked(ids, exact_scores(query, [corpus[chunk] for chunk in ids]))
    batches = view.table.scan(where, ["chunk_id"])
    allowed = {chunk for batch in batches for chunk in batch.column("chunk_id").to_pylist()}
    return [chunk for chunk, score in ranked if score > 0 and chunk in allowed][:depth]


def _bm25(view: View, query: Sequence[str], rows: pa.Table) -> Ranking:
    """Those of the rows that hold a term of the query, scored with the version's own statistics."""
    candidates = [tokens.split() for tokens in rows["tokens"].to_pylist()]
    ranked = _ranked(rows["chunk_id"].to_pylist(), scores(query, candidates, statistics(view, query)))
    return [pair for pair in ranked if pair[1] > 0]


def similarities(rows: Vectors, vector: Vectors) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Cosine similarity of unit vectors, summed row by row in double precision: equal whatever rows stand beside."""
    products = rows.astype(np.float64) * vector.astype(np.float64)
    similarity: np.ndarray[tuple[int], np.dtype[np.float64]] = products.sum(axis=1)
    return similarity


def statistics(view: View, query: Sequence[str]) -> Statistics:
    """BM25's statistics of the snapshot, for the terms of the query."""
    version = view.snapshot.version
    return Statistics(
        chunks=view.snapshot.chunks.total,
        tokens=snapshots.tokens_total(view.connection, version),
        frequencies=terms.frequencies(view.connection, version, query),
    )


def _ranked(ids: Sequence[str], values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ranking:
    return sorted(zip(ids, values.tolist(), strict=True), key=_by_score)


def _by_score(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]


def _scores(dense: Ranking, bm25: Ranking, near: int, matching: int) -> dict[str, Scores]:
    """Both parts of each score; a rank only within the candidates of its own side, beyond which it is not known."""
    by_dense = {chunk: (score, rank if rank <= near else None) for rank, (chunk, score) in enumerate(dense, 1)}
    by_bm25 = {chunk: (score, rank if rank <= matching else None) for rank, (chunk, score) in enumerate(bm25, 1)}
    return {
        chunk: Scores(*by_dense.get(chunk, (None, None)), *by_bm25.get(chunk, (None, None)))
        for chunk in by_dense.keys() | by_bm25.keys()
    }


def _hits(view: View, ranking: Ranking, parts: Mapping[str, Scores]) -> tuple[Hit, ...]:
    version = view.snapshot.version
    columns = ["chunk_id", "document_id", "text", "text_sha256", "since", "until"]
    rows = {row["chunk_id"]: row for row in view.table.some(dict(ranking), alive(version), columns).to_pylist()}
    owners = documents.some_at(view.connection, version, {row["document_id"] for row in rows.values()})
    places = _places(view, owners.values())
    pipelines = {owner.fingerprint: _embedder_name(view, owner.fingerprint) for owner in owners.values()}
    hits = []
    for rank, (chunk, score) in enumerate(ranking, 1):
        row = rows[chunk]
        owner = owners[row["document_id"]]
        provenance = _provenance(row, owner, places[owner.document_id], version, pipelines[owner.fingerprint])
        hits.append(Hit(rank, score, parts[chunk], row["text"], chunk, row["document_id"], provenance))
    return tuple(hits)


def _embedder_name(view: View, fingerprint: str) -> str:
    parts = snapshots.pipeline_parts(view.connection, fingerprint)
    if parts is None:
        raise Corrupt(f"pipeline {fingerprint} is not in the catalog: run `kb verify`")
    return str(parts["embedder"])


def _places(view: View, owners: Collection[DocumentVersion]) -> dict[str, dict[str, Passage]]:
    """Each document's passages by their chunk's id."""
    outlines = view.store.texts.outlines(owner.layout for owner in owners)
    places = {}
    for owner in owners:
        outline = outlines[owner.layout]
        ids = chunk_ids(owner.document_id, outline.cuts)
        places[owner.document_id] = dict(zip(ids, outline.passages, strict=True))
    return places


def _provenance(
    row: Mapping[str, object], owner: DocumentVersion, places: Mapping[str, Passage], version: int, embedder: str
) -> Provenance:
    passage = places.get(str(row["chunk_id"]))
    if passage is None:
        raise Corrupt(f"chunk {row['chunk_id']} is not a passage of {owner.source}:{owner.uri}: run `kb verify`")
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
