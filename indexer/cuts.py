"""Which boundaries become cuts: decided by what stands around each one, never by counting from the top.

Strong boundaries go first. One becomes a cut where its rank is the lowest of its equals within its strength's spacing
on either side and nothing stronger lies that near. So two cuts of one strength are never nearer than that, and a cut
comes or goes only when the text within that distance changes: an edit moves at most one cut on either side of it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from indexer.boundaries import Boundary, Strength


def cuts(places: Sequence[Boundary], end: int, spacings: Mapping[Strength, int]) -> list[int]:
    """Positions in order: all headings, and of each other strength, strongest first, those that its spacing leaves."""
    stronger = [0, *(place.position for place in places if place.strength == Strength.HEADING), end]
    chosen = set(stronger)
    for strength, distance in sorted(spacings.items()):
        equals = [place for place in places if place.strength == strength]
        chosen.update(_lowest([place for place in equals if _clear(place.position, stronger, distance)], distance))
        stronger = sorted([*stronger, *(place.position for place in equals)])
    return sorted(chosen)


def _clear(position: int, stronger: Sequence[int], distance: int) -> bool:
    at = bisect_left(stronger, position)
    return position - stronger[at - 1] > distance and stronger[at] - position > distance


def _lowest(places: Sequence[Boundary], distance: int) -> Iterator[int]:
    # Ranks look random, so the search to either side ends after a few steps on average.
    for at, place in enumerate(places):
        before = _first(places, range(at - 1, -1, -1), place, distance, lambda other, rank: other <= rank)
        behind = _first(places, range(at + 1, len(places)), place, distance, lambda other, rank: other < rank)
        if not before and not behind:
            yield place.position


def _first(
    places: Sequence[Boundary], span: range, place: Boundary, distance: int, beats: Callable[[int, int], bool]
) -> bool:
    for at in span:
        if abs(places[at].position - place.position) > distance:
            return False
        if beats(places[at].rank, place.rank):
            return True
    return False
