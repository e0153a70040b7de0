"""The image of a table: all of its rows in memory, so that both sides of a search look at every one that lives.

An index over all rows that ever lived names candidates whose BM25 it knows roughly, and each look into it or into the
table takes milliseconds. The image knows cosines to the third digit, and BM25 by the statistics of what the caller may
see. With 100,000 chunks that live among 220,000 it names 200 by either side in 3 ms, where the indexes take 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from cachetools import LRUCache

from kb.access import Keys
from kb.bm25 import Statistics, shares, weight
from kb.embedding.protocol import Vectors
from kb.store.blocks import Block, Chosen, Numbers, rounded, stretches
from kb.store.known import Facts, Ids

if TYPE_CHECKING:
    from kb.store.candidates import Pinned

Places = np.ndarray[tuple[int], np.dtype[np.int32]]
Scores = np.ndarray[tuple[int], np.dtype[np.floating[Any]]]
_SELECTIONS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A block with chosen rows: where its rows stand in the image, and where in the block the chosen ones."""

    block: Block
    span: slice
    stretches: Sequence[slice]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The rows of an image that a search is among."""

    chosen: Chosen
    places: Places
    tokens: int
    """Of all of them."""
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """The rows as they stand in one version of the table, in an order of the image's own."""

    pinned: "Pinned"
    upto: int
    """The rows of all snapshots up to this one are there."""
    ids: Ids
    facts: Facts
    """Chunk and life span; of rows that are gone nothing but zeros, so that they live at no version."""
    lengths: Numbers
    """Tokens of each row."""
    blocks: Sequence[Block]
    _selections: LRUCache[tuple[int, Keys], Selection] = field(default_factory=lambda: LRUCache(_SELECTIONS))
    """Those that were asked for last, by version and keys."""
    _selecting: Lock = field(default_factory=Lock)

    def living(self, version: int) -> Selection:
        """For any number of threads, as the two that follow."""
        found = self.remembered(version, None)
        if found is None:
            found = self.select((self.facts["since"] <= version) & (self.facts["until"] > version))
            self.remember(version, None, found)
        return found

    def remembered(self, version: int, keys: Keys) -> Selection | None:
        """The rows that live at the version and that the keys open, where they were selected lately."""
        with self._selecting:
            found: Selection | None = self._selections.get((version, keys))
        return found

    def remember(self, version: int, keys: Keys, selection: Selection) -> None:
        with self._selecting:
            self._selections[version, keys] = selection

    def among(self, ids: Ids) -> Chosen:
        """Which rows have one of the ids."""
        found: Chosen = np.isin(self.ids, ids)
        return found

    def select(self, chosen: Chosen) -> Selection:
        firsts = accumulate((len(block) for block in self.blocks), initial=0)
        spans = [slice(first, first + len(block)) for block, first in zip(self.blocks, firsts, strict=False)]
        held = [(block, span) for block, span in zip(self.blocks, spans, strict=True) if chosen[span].any()]
        parts = [Part(block, span, list(stretches(chosen[span]))) for block, span in held]
        return Selection(
            chosen, np.flatnonzero(chosen).astype(np.int32), int(self.lengths.sum(where=chosen, dtype=np.int64)), parts
        )

    def cosines(self, vector: Vectors, selection: Selection) -> tuple[Scores, float]:
        """Of the rows that are selected, and by how much they may be off; nothing of the others."""
        query, rough = rounded(vector[None]), 0.0
        cosines = np.empty(len(self.ids), np.float32)
        for part in selection.parts:
            own, vectors = cosines[part.span], part.block.vectors
            for stretch in part.stretches:
                own[stretch] = vectors.products(query, stretch)
            rough = max(rough, vectors.rough(query))
        return cosines, rough

    def matches(self, tokens: Sequence[str], selection: Selection) -> tuple[Statistics, Scores, Places]:
        """BM25 of the rows that are selected, by the statistics of these; 0 of all others. And which are not 0."""
        held = [(part.span, part.block.words.of(tokens, selection.chosen[part.span])) for part in selection.parts]
        frequencies = {word: sum(len(words[word].places) for _, words in held) for word in set(tokens)}
        statistics = Statistics(len(selection.places), selection.tokens, frequencies)
        scores, holding = np.zeros(len(self.ids)), [np.zeros(0, np.int32)]
        for span, words in held:
            own, lengths = scores[span], self.lengths[span]
            # Term by term, as the scorer of candidates does: the sums are the same to the last digit.
            for word in tokens:
                places, counts = words[word].places, words[word].counts
                if len(places):
                    own[places] += weight(word, statistics) * shares(counts, lengths[places], statistics)
            holding.append((np.flatnonzero(own > 0) + span.start).astype(np.int32))
        return statistics, scores, np.concatenate(holding)
