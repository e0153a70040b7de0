"""Hybrid search as of a version: candidates from both sides under one filter, fused, folded and brought home."""

from collections.abc import Sequence
from dataclasses import replace

from kb.analysis import analyse
from kb.embedding.models import Models
from kb.nouns import Hit
from kb.search.assembly import assemble
from kb.search.candidates import Asked, exactly, quickly
from kb.search.fusion import DEPTH
from kb.search.hits import hits
from kb.search.places import place
from kb.search.query import Query, View
from kb.search.reach import Reach
from kb.search.scoring import score
from kb.search.texts import Text, capped
from kb.stopwatch import Stopwatch


def search(view: View, query: Query, models: Models, watch: Stopwatch) -> tuple[Hit, ...]:
    """The k best hits, ties by chunk id. Models are asked for only where the query needs them.

    Each side names its candidates; all of them are then scored on both sides, so that a hit's score does not depend on
    which side found it.
    """
    pipeline = view.pipeline(view.snapshot.fingerprint)
    vector = models.query_vector(pipeline, query.text) if query.mode != "bm25" else None
    tokens = analyse(query.text) if query.mode != "dense" else []
    watch.lap("embed")
    texts = _find(view, query, Asked(vector, tokens), watch)
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
    """The best texts, as many as are needed; all that were read where a bound on each document will take some away."""
    reach = Reach(max(DEPTH, query.needed), whole=False)
    look = exactly if query.exact else quickly
    while True:
        found = look(view, query, asked, reach)
        watch.lap("find")
        scored = score(view, query, asked, found)
        watch.lap("score")
        texts = place(view, query, found, scored if query.per_document else scored[: query.needed])
        left = len(capped(texts, query.per_document)) if query.per_document else len(scored)
        watch.lap("place")
        if reach.suffices(left, query.needed, found.whole) or (found.whole and found.ended(reach.depth)):
            return texts
        reach = reach.wider(found.whole)


def _reranked(query: Query, texts: Sequence[Text], models: Models) -> list[Text]:
    """By the cross-encoder: the best, and of what a bound on each document will leave as many as are asked for."""
    likely = *texts[: query.needed], *capped(texts, query.per_document)[: query.k]
    pool = {one.text: one for one in likely}
    scores = models.reranker(str(query.rerank)).scores(query.text, list(pool))
    ranked = sorted(zip(scores, pool.values(), strict=True), key=lambda pair: -pair[0])
    return [replace(one, score=rerank, scores=replace(one.scores, rerank=rerank)) for rerank, one in ranked]
