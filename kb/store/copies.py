"""Which texts of a table's rows more than one chunk holds, known in memory: few do, and none else is looked up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from kb.store.packed import Packed, packed

Hashes = np.ndarray[tuple[int], np.dtype[np.int64]]


def _none() -> Hashes:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Copies:
    """Of all rows that were ever met, whatever their lives; texts and chunks by hash, texts in order."""

    texts: Hashes = field(default_factory=_none)
    chunks: Hashes = field(default_factory=_none)
    """The first that was met of each text."""
    shared: Hashes = field(default_factory=_none)
    """The texts that another chunk holds, too."""

    def followed_by(self, texts: Packed, chunks: Packed) -> "Copies":
        """With further rows' text digests and chunk ids; the same row twice is no copy."""
        if not len(texts):
            return self
        new, holders = _hashes(texts), _hashes(chunks)
        order = np.lexsort((holders, new))
        new, holders = new[order], holders[order]
        again = new[1:] == new[:-1]
        within = new[1:][again & (holders[1:] != holders[:-1])]
        first = np.concatenate([[True], ~again])
        return self._joined(new[first], holders[first], within)

    def _joined(self, new: Hashes, holders: Hashes, shared: Hashes) -> "Copies":
        """`new` are distinct and in order."""
        places = np.searchsorted(self.texts, new)
        known = np.zeros(len(new), bool)
        inside = places < len(self.texts)
        known[inside] = self.texts[places[inside]] == new[inside]
        others = new[known][self.chunks[places[known]] != holders[known]]
        return Copies(
            np.insert(self.texts, places[~known], new[~known]),
            np.insert(self.chunks, places[~known], holders[~known]),
            np.union1d(self.shared, np.concatenate([shared, others])),
        )

    def among(self, texts: Iterable[str]) -> frozenset[str]:
        """Those of the texts that several chunks hold; rarely, one that shares no more than a hash."""
        asked = list(dict.fromkeys(texts))
        found = np.isin(_hashes(packed(asked, 32)), self.shared)
        return frozenset(text for text, shared in zip(asked, found.tolist(), strict=True) if shared)


def _hashes(digests: Packed) -> Hashes:
    """The first eight bytes of each: no worse a hash than any other."""
    return np.ascontiguousarray(digests).view(np.int64).reshape(len(digests), digests.itemsize // 8)[:, 0]
