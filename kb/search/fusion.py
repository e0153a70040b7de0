"""The fusion of the dense and the BM25 ranking into one.

A cosine stands as it is: it means the same for every query. A BM25 score means something only beside the others of its
query, so it is divided by the best of them. Where both scores of every candidate are given, a chunk's fused score hangs
on its own two and on BM25's best alone: neither the depth nor the other candidates move it, so what is found
approximately is scored as what is found exactly. Measured on SciFact, Cranfield, code and questions on long documents,
this is level with the best of the alternatives (each side scaled to [0, 1] or to unit variance; BM25 divided by the
most that the query could reach) and moves by .005 nDCG@10 at most for weights from .65 to .75; reciprocal rank fusion
is worse by .01 to .03, and candidates scored by one side alone cost up to .003.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice, takewhile
from operator import itemgetter
from typing import Final, TypeVar

from kb.nouns import Mode
from kb.search.ranking import Ranking, by_score
from kb.store.candidates import Estimates

DEPTH: Final = 200
"""Candidates that each side gives at least."""
DENSE_WEIGHT: Final = 0.73
_FIRST: Final = 2
"""Candidates that are looked at first for each hit."""
_FURTHER: Final = 4
"""Candidates that are looked at next for each that was."""
_SURE: Final = 20
"""Of the best by BM25, as many are looked at in any case: the best of all scales the others."""
_ROUGH_COSINE: Final = 0.005
_ROUGH_SHARE: Final = 1.1
"""By how much estimates may be too low, of cosines and of BM25 scores as shares of the best: what was measured on
60,000 of either, rounded up. Where many rows died, BM25's are off by more, by what is seen in those that were read."""
Id = TypeVar("Id", str, int)
"""Of a chunk, or of a row."""


def fuse(dense: Sequence[tuple[str, float]], bm25: Sequence[tuple[str, float]]) -> Ranking:
    """All ids of both rankings, best first, ties by id; cosines and BM25 scores in, weighted sums out.

    Give each side the candidates of both. An id without a cosine counts as similar as the least similar one; an id
    without a BM25 score holds none of the query's terms.
    """
    fused = _weighed(dict(dense), dict(bm25), absent=0.0)
    return sorted(fused.items(), key=by_score)


def bounds(mode: Mode, dense: Estimates, bm25: Estimates, depth: int, understated: float = 1.0) -> dict[int, float]:
    """What ids may score at most in the mode, by the estimates of sides that give at most `depth`; best first.

    Of BM25 alone, as a share of the best. What one side does not name counts there as much as the last that it names:
    it may be next.
    """
    best = max(bm25.values(), default=0.0)
    rough = _ROUGH_SHARE * understated
    cosines = {one: cosine + _ROUGH_COSINE for one, cosine in dense.items()}
    shares = {one: min(1.0, rough * score / best) for one, score in bm25.items()}
    if mode != "hybrid":
        return cosines or shares
    weighed = _weighed(cosines, shares, absent=min(shares.values()) if len(shares) >= depth else 0.0)
    return dict(sorted(weighed.items(), key=itemgetter(1), reverse=True))


def understated(bm25: Estimates, known: Mapping[int, float]) -> float:
    """How much more of the best BM25 score some id has than by its estimate; of those whose scores are known."""
    if not known:
        return 1.0
    best, estimated = max(known.values()), max(bm25.values())
    return max(score / best * estimated / bm25[one] for one, score in known.items())


def first(bounds: Iterable[int], bm25: Iterable[int], needed: int) -> set[int]:
    """The ids to look at before any other; all are given best first."""
    return {*islice(bounds, _FIRST * needed), *islice(bm25, _SURE)}


def further(bounds: Mapping[int, float], least: float, read: Collection[int]) -> list[int]:
    """The ids to look at next, of those that may score more than `least`: the more are known, the fewer may."""
    likely = takewhile(lambda one: bounds[one] > least, bounds)
    return list(islice((one for one in likely if one not in read), _FURTHER * len(read)))


def _weighed(cosines: Mapping[Id, float], scores: Mapping[Id, float], absent: float) -> dict[Id, float]:
    """The weighted sums; `absent` is the BM25 score of an id that has none."""
    least = min(cosines.values(), default=0.0)
    best = max(scores.values(), default=0.0) or 1.0
    return {
        chunk: DENSE_WEIGHT * cosines.get(chunk, least) + (1 - DENSE_WEIGHT) * scores.get(chunk, absent) / best
        for chunk in cosines.keys() | scores.keys()
    }
