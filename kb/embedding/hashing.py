"""A deterministic embedder without a model: words are hashed to directions. It knows spelling, not meaning."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from kb.embedding.protocol import Vectors

_WORD = re.compile(r"\w{1,16}|[^\w\s]")
_RULE = b"hashing embedder 1"


class WordTokeniser:
    """Words of up to 16 characters and single punctuation marks."""

    digest = hashlib.sha256(_RULE).hexdigest()

    def __init__(self, window: int = 256) -> None:
        self.window = window

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in _WORD.finditer(text)]


class HashingEmbedder:
    """The feature hashing of Weinberger et al. (2009): each word adds +1 or -1 to one of `dimensions` components."""

    def __init__(self, dimensions: int = 64) -> None:
        self.name = f"hashing:{dimensions}"
        self.digest = hashlib.sha256(_RULE + str(dimensions).encode()).hexdigest()
        self.dimensions = dimensions
        self.tokeniser = WordTokeniser()

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in _WORD.findall(text.lower()) or [""]:
                hashed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
                vector[hashed % self.dimensions] += 1.0 if hashed >> 63 else -1.0
            norm = np.linalg.norm(vector)
            vector[:] = vector / norm if norm else np.eye(1, self.dimensions)[0]
        return vectors
