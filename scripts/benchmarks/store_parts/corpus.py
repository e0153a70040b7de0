"""A corpus of any size with a history, all of it derived from real passages, a size and a seed.

Documents are runs of 10 to 40 slots, and a slot holds one passage at a time. Its text follows from the slot's number
and how often it was edited, so a state of the corpus is one array of counts, and any version can be made from nothing.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

PUBLISHED: Final = 250
"""Chunks that every other step changes: the size at which publishing is measured."""
SHARES: Final = (0.001, 0.01, 0.003, 0.007, 0.002, 0.009, 0.004, 0.006, 0.005, 0.008)
"""Of all chunks, what the steps in between change, over and over: every ten of them are alike."""
_ALTERED: Final = 0.2
"""Share of the words that differ where a passage is used again."""

Counts = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Document:
    """Slots `first` to `last` (excluded)."""

    uri: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit changes: slots by the place of their document."""

    edits: dict[int, tuple[int, ...]]

    @property
    def slots(self) -> list[int]:
        return [slot for slots in self.edits.values() for slot in slots]


class Corpus:
    """Texts by slot and count of edits."""

    def __init__(self, passages: Sequence[str], size: int) -> None:
        self.size = size
        self._passages = passages
        self._words = [word for passage in passages[:4000] for word in passage.split()]
        self.documents = tuple(_documents(size))

    def start(self) -> Counts:
        return np.zeros(self.size, np.int32)

    def text(self, slot: int, edits: int) -> str:
        """The passage itself at first; where it is used again, with words from elsewhere in a fifth of its places.

        The words are drawn from running text, so each is as frequent as it really is.
        """
        passage = self._passages[slot % len(self._passages)]
        if slot < len(self._passages) and not edits:
            return passage
        chance = random.Random(f"{slot} {edits}")
        words = passage.split(" ")
        for place in chance.sample(range(len(words)), max(1, round(len(words) * _ALTERED))):
            words[place] = chance.choice(self._words)
        return " ".join(words)

    def texts(self, document: Document, counts: Counts) -> list[str]:
        return [self.text(slot, int(counts[slot])) for slot in range(document.first, document.last)]

    def step(self, number: int) -> Step:
        """What the commit of that number (from 1 on) changes: some slots each of documents drawn at random."""
        wanted = min(changes(self.size, number), self.size // 2)
        chance = np.random.default_rng(number)
        edits: dict[int, tuple[int, ...]] = {}
        for place in chance.permutation(len(self.documents)).tolist():
            if wanted <= 0:
                break
            document = self.documents[place]
            many = min(int(chance.integers(1, 9)), document.last - document.first, wanted)
            edits[place] = tuple(sorted(chance.choice(np.arange(document.first, document.last), many, False).tolist()))
            wanted -= many
        return Step(edits)

    def at(self, steps: int) -> Counts:
        """The counts after so many steps."""
        counts = self.start()
        for number in range(1, steps + 1):
            counts[self.step(number).slots] += 1
        return counts


def changes(size: int, number: int) -> int:
    """Chunks that the step of that number changes."""
    return PUBLISHED if number % 2 else max(1, round(size * SHARES[number // 2 % len(SHARES)]))


def _documents(size: int) -> Iterator[Document]:
    chance = random.Random(size)
    first = place = 0
    while first < size:
        last = min(first + chance.randint(10, 40), size)
        yield Document(_uri(place), first, last)
        first, place = last, place + 1


def _uri(place: int) -> str:
    """Laid out so that globs keep a half, a twentieth or a thousandth of the documents."""
    return f"{place % 2}/{place % 20:02}/{place % 1000:03}/{place}.txt"
