"""Hybrid search as of a version: candidates from both sides under one filter, fused, folded and brought home."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Final

from kb.analysis import analyse
from kb.embedding.models import Models
from kb.nouns import Hit
from kb.search.assembly import assemble
from kb.search.candidates import Asked, Candidates, exactly, quickly, read_on
from kb.search.fusion import DEPTH
from kb.search.hits import hits
from kb.search.places import place
from kb.search.query import Query, View
from kb.search.scoring import score
from kb.search.texts import Scored, Text, capped
from kb.stopwatch import Stopwatch
from kb.store.reader import patiently

_WIDER: Final = 4
"""Times as many candidates are asked of each side where those that it named were too few."""


def search(view: View, query: Query, models: Models, watch: Stopwatch) -> tuple[Hit, ...]:
    """The k best hits, ties by chunk id. Models are asked for only where the query needs them.

    Each side names its candidates; all of them are then scored on both sides, so that a hit's score does not depend on
    which side found it.
    """
    pipeline = view.pipeline(view.snapshot.fingerprint)
    vector = models.query_vector(pipeline, query.text) if query.mode != "bm25" else None
    tokens = analyse(query.text) if query.mode != "dense" else []
    watch.lap("embed")
    asked = Asked(vector, tokens)
    texts = patiently(lambda: _find(view, query, asked, watch))
    if query.rerank is not None:
        texts = _reranked(query, texts, models)
        watch.lap("rerank")
    chosen = capped(texts, query.per_document)[: query.k]
    if not query.assembled:
        return hits(chosen)
    found = assemble(view, query, chosen, lambda: models.tokeniser(pipeline))
    watch.lap("assemble")
    return found


def _find(view: View, query: Query, asked: Asked, watch: Stopwatch) -> list[Text]:
    """The best texts, as many as are needed; all that were read where a bound on each document will take some away.

    Looks further where copies or such a bound leave too few of them.
    """
    depth = max(DEPTH, query.needed)
    while True:
        found = exactly(view, query, asked, depth) if query.exact else quickly(view, query, asked, depth)
        watch.lap("find")
        texts, enough = _settle(view, query, asked, found, depth, watch)
        if enough or found.ended(depth):
            return texts
        depth *= _WIDER


def _settle(
    view: View, query: Query, asked: Asked, found: Candidates, depth: int, watch: Stopwatch
) -> tuple[list[Text], bool]:
    """The best texts of all that was named, and whether they are enough: reads on until no other can be among them."""
    more: Candidates | None = found
    while more is not None:
        found = more
        scored = score(view, query, asked, found)
        watch.lap("score")
        left: Sequence[Scored] | Sequence[Text] = scored
        if query.per_document:
            texts = place(view, query, found, scored)
            left = capped(texts, query.per_document)
            watch.lap("place")
        matches = {one.text_sha256: one.scores.bm25 or 0.0 for one in scored}
        more = read_on(view, query, found, depth, _least(query, left), matches)
        watch.lap("find")
    if not query.per_document:
        texts = place(view, query, found, scored[: query.needed])
        watch.lap("place")
    return texts, len(left) >= query.needed


def _least(query: Query, left: Sequence[Scored] | Sequence[Text]) -> float:
    """What a text must score more than to come among those that are needed, beside those that are left."""
    if len(left) < query.needed:
        return -inf
    score = left[query.needed - 1].score
    return score / left[0].score if query.mode == "bm25" else score


def _reranked(query: Query, texts: Sequence[Text], models: Models) -> list[Text]:
    """By the cross-encoder: the best, and of what a bound on each document will leave as many as are asked for."""
    likely = *texts[: query.needed], *capped(texts, query.per_document)[: query.k]
    pool = {one.text: one for one in likely}
    scores = models.reranker(str(query.rerank)).scores(query.text, list(pool))
    ranked = sorted(zip(scores, pool.values(), strict=True), key=lambda pair: -pair[0])
    return [replace(one, score=rerank, scores=replace(one.scores, rerank=rerank)) for rerank, one in ranked]
