"""Blocks of rows in memory, in the form that is searched: a byte for each dimension of a vector, and every word's rows.

Rounded to a byte, a cosine of 384 dimensions is off by .0006 (a standard deviation; `rough` tells it), and a hundred
thousand vectors are compared in a millisecond: LanceDB's index, where it is searched as thoroughly, takes ten.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import simsimd

from kb.embedding.protocol import Vectors

Numbers = np.ndarray[tuple[int], np.dtype[np.int32]]
Chosen = np.ndarray[tuple[int], np.dtype[np.bool_]]
_LARGEST: Final = 127
_STRIDE: Final = 4_096
"""Rows that are compared together."""
_DEVIATIONS: Final = 5.0
_FLOATS: Final = 1e-6
"""What sums in single precision may be off beside."""


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """Vectors as whole numbers, shape (rows, dimensions), and what to multiply each row by."""

    codes: np.ndarray[tuple[int, int], np.dtype[np.int8]]
    scales: np.ndarray[tuple[int], np.dtype[np.float32]]
    step: float
    """The greatest of the scales."""

    def products(self, query: "Rounded", stretch: slice) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """The inner products of the rows of the stretch with the query's one."""
        whole = np.asarray(simsimd.cdist(query.codes, self.codes[stretch], "dot"), np.float32).reshape(-1)
        products: np.ndarray[tuple[int], np.dtype[np.float32]] = whole * self.scales[stretch] * query.scales[0]
        return products

    def rough(self, query: "Rounded") -> float:
        """By how much products of unit vectors may be off, but for a miracle: five standard deviations.

        What a number loses by rounding is as likely anywhere within half a step either way, so it has a standard
        deviation of the step over the root of twelve; so has a sum of such losses, weighed by a unit vector.
        """
        return _DEVIATIONS * float(np.hypot(self.step, query.step)) / sqrt(12) + _FLOATS


def stretches(chosen: Chosen) -> Iterator[slice]:
    """Where the chosen stand, in as few and as short spans as are worth it."""
    strides = np.flatnonzero(np.logical_or.reduceat(chosen, np.arange(0, len(chosen), _STRIDE)))
    for run in np.split(strides, np.flatnonzero(np.diff(strides) > 1) + 1):
        if len(run):
            yield slice(int(run[0]) * _STRIDE, min((int(run[-1]) + 1) * _STRIDE, len(chosen)))


def rounded(vectors: Vectors) -> Rounded:
    largest = np.abs(vectors).max(axis=1, initial=0.0) / np.float32(_LARGEST)
    scales = np.maximum(largest, np.finfo(np.float32).tiny).astype(np.float32)
    return Rounded(np.rint(vectors / scales[:, None]).astype(np.int8), scales, float(scales.max(initial=0.0)))


def _stacked(parts: Sequence[Rounded]) -> Rounded:
    codes, scales = (np.concatenate([getattr(one, name) for one in parts]) for name in ("codes", "scales"))
    return Rounded(codes, scales, max(one.step for one in parts))


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Each word's rows, by their place in the block, and how often each of them holds it."""

    words: pa.StringArray
    """In their order."""
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    """Where each word's rows begin among `places` and `counts`, and where the last one's end."""
    places: Numbers
    counts: np.ndarray[tuple[int], np.dtype[np.uint16]]
    lengths: Numbers
    """Tokens of each row."""

    def of(self, words: Iterable[str], chosen: Chosen) -> dict[str, "Holders"]:
        """Of each of the words the chosen rows that hold it."""
        found = {}
        for word in set(words):
            span = self._span(word)
            kept = chosen[self.places[span]]
            found[word] = Holders(self.places[span][kept], self.counts[span][kept].astype(np.float64))
        return found

    def _span(self, word: str) -> slice:
        at = bisect_left(range(len(self.words)), word, key=lambda place: self.words[place].as_py())
        there = at < len(self.words) and self.words[at].as_py() == word
        return slice(self.starts[at], self.starts[at + 1]) if there else slice(0)


@dataclass(frozen=True, slots=True, eq=False)
class Holders:
    """Rows by their place in the block, and how often each of them holds a word."""

    places: Numbers
    counts: np.ndarray[tuple[int], np.dtype[np.float64]]


def count_words(tokens: pa.Array) -> Words:
    """Of rows whose tokens are joined by single spaces."""
    split = pc.split_pattern(tokens, " ")
    rows = np.repeat(np.arange(len(tokens), dtype=np.int32), pc.list_value_length(split).to_numpy())
    every = split.flatten()
    # To split nothing gives one empty word.
    real = pc.not_equal(every, "")
    every, rows = every.filter(real), rows[real.to_numpy(zero_copy_only=False)]
    encoded = every.dictionary_encode()
    words, ranks = _in_order(encoded.dictionary)
    keys = ranks[encoded.indices.to_numpy()] * len(tokens) + rows
    held, counts = np.unique(keys, return_counts=True)
    owners, places = np.divmod(held, max(1, len(tokens)))
    starts = np.searchsorted(owners, np.arange(len(words) + 1))
    lengths = np.bincount(rows, minlength=len(tokens)).astype(np.int32)
    most = np.iinfo(np.uint16).max
    return Words(words, starts, places.astype(np.int32), np.minimum(counts, most).astype(np.uint16), lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    vectors: Rounded
    words: Words

    def __len__(self) -> int:
        return len(self.words.lengths)


def joined(blocks: Sequence[Block]) -> Block:
    """One block with the rows of all, in their order."""
    encoded = pa.concat_arrays([block.words.words for block in blocks]).dictionary_encode()
    words, ranks = _in_order(encoded.dictionary)
    lasts = np.cumsum([len(block.words.words) for block in blocks])
    of_each = np.split(ranks[encoded.indices.to_numpy()], lasts[:-1])
    totals = np.zeros(len(words), np.int64)
    for own, block in zip(of_each, blocks, strict=True):
        totals[own] += np.diff(block.words.starts)
    starts = np.concatenate([[0], np.cumsum(totals)])
    places, counts = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.uint16)
    free, first = starts[:-1].copy(), 0
    # Each block's rows of a word go behind those of the blocks before it: nothing need be sorted.
    for own, block in zip(of_each, blocks, strict=True):
        held, sizes = block.words, np.diff(block.words.starts)
        to = np.repeat(free[own] - held.starts[:-1], sizes) + np.arange(len(held.places))
        places[to], counts[to] = held.places + first, held.counts
        free[own] += sizes
        first += len(block)
    lengths = np.concatenate([block.words.lengths for block in blocks])
    vectors = [block.vectors for block in blocks]
    return Block(_stacked(vectors), Words(words, starts, places, counts, lengths))


def _in_order(words: pa.StringArray) -> tuple[pa.StringArray, np.ndarray[Any, np.dtype[np.int64]]]:
    """The words sorted, and where each of them stands then."""
    order = pc.sort_indices(words)
    ranks = np.empty(len(words), np.int64)
    ranks[order.to_numpy()] = np.arange(len(words))
    return words.take(order), ranks
