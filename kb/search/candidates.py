"""Candidates of a search: the chunks that each side names, found by the indexes or by looking at every row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kb.catalog import access
from kb.embedding.protocol import Vectors
from kb.search.bm25 import exact_scores
from kb.search.filters import AsOf, condition
from kb.search.fusion import INDEXED, bounds, first, further, sure_bounds, surest, understated
from kb.search.query import Query, View
from kb.search.ranking import Floats, Ranking, by_score, ranked, similarities
from kb.store import conditions
from kb.store.candidates import Estimates, Found, Request
from kb.store.rows import WholeRow, vectors


@dataclass(frozen=True, slots=True)
class Asked:
    """The query as each side takes it: a vector, None where none is wanted, and tokens."""

    vector: Vectors | None
    tokens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Named:
    """What one side named: the chunks whose rows were read, and the estimated scores of the others, ascending."""

    read: frozenset[str]
    unread: Floats


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows of the candidates, each once, and what each side named."""

    rows: Sequence[WholeRow]
    near: Named
    matching: Named
    copied: frozenset[str] | None = None
    """The texts of these rows, by digest, that other chunks may hold, too; None where any may be."""
    found: Found | None = None
    """What the image or the indexes named; None where every row was read."""
    bounds: Mapping[int, float] = field(default_factory=dict)
    """What rows may score at most, best first."""

    def ended(self, depth: int) -> bool:
        """Whether neither side can name more than it did, asked for so many."""
        return all(len(side.read) + len(side.unread) < depth for side in (self.near, self.matching))


def quickly(view: View, query: Query, asked: Asked, depth: int) -> Candidates:
    """Of what either side names, the rows are read that by their estimates are likely among the hits."""
    at, condition = view.snapshot.version, _condition(view, query)
    # A word that the query repeats counts each time, here as in the score.
    request = Request(asked.vector, asked.tokens, at, query.keys, condition, depth)
    found = view.table.overlook(request)
    if found is not None:
        return _surely(view, query, found)
    found = view.table.find(request, _matches(view, query))
    named = bounds(query.mode, found.near, found.matching, depth)
    # The index counts hidden rows' words, too: to one who may not see all, all that is named is read and scored.
    likely: Iterable[int] = first(named, found.matching, query.needed) if query.keys is None else named
    return _read(view, query, found, likely, named)


def _surely(view: View, query: Query, found: Found) -> Candidates:
    """What was found by an image, with those rows read that may be among the hits."""
    surely = found.surely
    assert surely is not None, "an image tells of all that it names"
    most = sure_bounds(query.mode, surely.cosines, surely.bm25, surely.rough)
    order = np.argsort(-most, kind="stable")
    named = dict(zip(surely.ids[order].tolist(), most[order].tolist(), strict=True))
    likely = surest(named, found.matching, query.needed, surely.rough)
    return _read(view, query, found, likely, named)


def _matches(view: View, query: Query) -> int:
    """How many rows a search is among, about."""
    if query.filters:
        return view.table.count(visible(view, query))
    if query.keys is not None:
        return view.table.counted(view.snapshot.version, query.keys, ()).rows
    return view.snapshot.chunks.total


def read_on(
    view: View, query: Query, candidates: Candidates, depth: int, least: float, matches: Mapping[str, float]
) -> Candidates | None:
    """With more rows read of those that may score higher than `least`; None where there is no other.

    `matches` are the BM25 scores of the texts that were read, by digest.
    """
    found = candidates.found
    if found is None:
        return None
    named = candidates.bounds
    if found.surely is None:
        read = found.rows.keys() & found.matching.keys()
        known = {row: score for row in read if (score := matches.get(found.rows[row].text_sha256))}
        rough = replace(INDEXED, bm25=INDEXED.bm25 * understated(found.matching, known))
        named = bounds(query.mode, found.near, found.matching, depth, rough)
    likely = further(named, least, found.rows)
    return _read(view, query, found, likely, named) if likely else None


def _read(view: View, query: Query, found: Found, row_ids: Iterable[int], named: Mapping[int, float]) -> Candidates:
    found = view.table.read_on(found, row_ids)
    # How long an answer takes must not tell of copies that its caller may not see.
    copied = found.copied if query.keys is None else None
    near, matching = (_named(side, found.rows) for side in (found.near, found.matching))
    return Candidates(list(found.rows.values()), near, matching, copied, found, named)


def exactly(view: View, query: Query, asked: Asked, depth: int) -> Candidates:
    """By comparing and scoring every row that lives."""
    where = visible(view, query)
    near = dict(_nearest(view, asked.vector, where, depth)) if asked.vector is not None else {}
    matching = dict(_best_matching(view, query, asked.tokens, where, depth)) if asked.tokens else {}
    rows = view.table.whole(near.keys() | matching.keys(), where)
    return Candidates(rows, Named(frozenset(near), np.zeros(0)), Named(frozenset(matching), np.zeros(0)))


def _named(estimates: Estimates, read: Mapping[int, WholeRow]) -> Named:
    """`read` are the rows that were read, by their ids."""
    chunks = frozenset(read[row].chunk_id for row in estimates.keys() & read.keys())
    return Named(chunks, np.sort([estimate for row, estimate in estimates.items() if row not in read]))


def visible(view: View, query: Query) -> str:
    """The rows that live at the version, that the filters leave and that the caller may see."""
    return conditions.visible(view.snapshot.version, query.keys, _condition(view, query))


def _condition(view: View, query: Query) -> str | None:
    """What the filters leave, and access lists that rows do not hold yet; None where that is everything."""
    at = AsOf(view.connection, view.snapshot.version, query.keys)
    filtered = [condition(query.filters, at)] if query.filters else []
    return " AND ".join([*filtered, *_closing(view, query)]) or None


def _closing(view: View, query: Query) -> list[str]:
    """What is being closed to the caller, and whose rows may not hold that yet."""
    closing = access.closing(view.connection, query.keys) if query.keys is not None else ()
    return [f"NOT {conditions.one_of('document_id', closing)}"] if closing else []


def _nearest(view: View, vector: Vectors, where: str, depth: int) -> Ranking:
    best: Ranking = []
    for batch in view.table.scan(where, ["chunk_id", "vector"]):
        found = ranked(batch.column("chunk_id").to_pylist(), similarities(vectors(batch), vector))
        best = sorted(best + found[:depth], key=by_score)[:depth]
    return best


def _best_matching(view: View, asked: Query, query: Sequence[str], where: str, depth: int) -> Ranking:
    """By the reference's scores. Their statistics are those of all that the caller may see, whatever filters leave."""
    corpus: dict[str, list[str]] = {}
    seen = conditions.visible(view.snapshot.version, asked.keys, " AND ".join(_closing(view, asked)) or None)
    for batch in view.table.scan(seen, ["chunk_id", "tokens"]):
        rows = zip(batch.column("chunk_id").to_pylist(), batch.column("tokens").to_pylist(), strict=True)
        corpus.update((chunk, tokens.split()) for chunk, tokens in rows)
    ids = sorted(corpus)
    scored = ranked(ids, exact_scores(query, [corpus[chunk] for chunk in ids]))
    batches = view.table.scan(where, ["chunk_id"])
    allowed = {chunk for batch in batches for chunk in batch.column("chunk_id").to_pylist()}
    return [(chunk, score) for chunk, score in scored if score > 0 and chunk in allowed][:depth]
