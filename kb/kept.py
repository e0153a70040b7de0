"""Life spans beside the versions that are kept: what some version needs, and what none needs any more."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from kb.nouns import FOREVER


def first_kept(kept: Sequence[int], version: int) -> int:
    """The first kept version at or after a version, FOREVER past the last; `kept` is in order."""
    place = bisect_left(kept, version)
    return kept[place] if place < len(kept) else FOREVER


def needed(kept: Sequence[int], since: int, until: int) -> bool:
    """Whether a kept version falls within a life span."""
    return first_kept(kept, since) < until


def gaps(kept: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs (a, b) of kept versions, or 0, with others between: what has `a < since` and `until <= b` is not needed."""
    return [(after, upto) for after, upto in pairwise((0, *kept)) if upto - after > 1]


def nearest_kept(kept: Sequence[int], version: int) -> int:
    """The kept version that is the fewest numbers away, of two the older."""
    return min(kept, key=lambda other: (abs(other - version), other))


def last_kept_before(kept: Sequence[int], version: int) -> int | None:
    place = bisect_left(kept, version)
    return kept[place - 1] if place else None
