"""How far a search looks for candidates: further where copies or a bound on each document leave too few of them."""

from dataclasses import dataclass
from typing import Final

_MARGIN: Final = 2
"""Texts to be left for each that is needed where not all that was named was read: estimates are off by a little."""
_WIDER: Final = 4


@dataclass(frozen=True, slots=True)
class Reach:
    """`depth` is how many candidates each side gives; `whole`, whether the rows of all of them are read."""

    depth: int
    whole: bool

    def suffices(self, left: int, needed: int, whole: bool) -> bool:
        """Whether so many texts that are left are enough; `whole`: whether all that was named was read."""
        return left >= needed * (1 if whole else _MARGIN)

    def wider(self, whole: bool) -> "Reach":
        """First all that was named already, then more."""
        return Reach(self.depth * _WIDER, True) if whole else Reach(self.depth, True)
