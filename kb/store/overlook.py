"""The chunks that a search looks at, found by looking over the image of a table: every row has its scores there."""

from typing import Final

import numpy as np

from kb.store.candidates import Found, Request, Surely, estimates
from kb.store.image import Image, Places, Scores, Selection

_NOWHERE: Final[Places] = np.zeros(0, np.int32)


def overlook(image: Image, visible: Selection, wanted: Selection, request: Request) -> Found:
    """Each side names what is best of all that is wanted; words count as they do in all that is visible."""
    statistics, matches, holding = image.matches(request.tokens, visible)
    matching = _best(image, matches, holding[wanted.chosen[holding]], request.limit)
    near, rough = _NOWHERE, 0.0
    cosines: Scores = np.zeros(0)
    if request.vector is not None:
        cosines, rough = image.cosines(request.vector, wanted)
        near = _best(image, cosines, wanted.places, request.limit)
    both = np.union1d(near, matching)
    beside = cosines[both] if request.vector is not None else np.zeros(len(both))
    surely = Surely(image.ids[both], beside, rough, matches[both], statistics)
    nearer, matched = estimates(image.ids[near], cosines[near]), estimates(image.ids[matching], matches[matching])
    return Found(nearer, matched, image.pinned, surely)


def _best(image: Image, scores: Scores, places: Places, limit: int) -> Places:
    """The places with the highest scores, best first, ties by chunk id."""
    own = scores[places]
    if len(own) > limit:
        least = own[np.argpartition(own, len(own) - limit)[len(own) - limit]]
        places, own = places[own >= least], own[own >= least]
    high, low = image.facts["chunk_id"][places].view(">u8").reshape(-1, 2).T
    best: Places = places[np.lexsort((low, high, -own))][:limit]
    return best
