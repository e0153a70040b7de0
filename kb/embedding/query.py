"""A query's vector, however long the query is."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from kb.embedding.protocol import Embedder, Tokeniser, Vectors


@runtime_checkable
class QueryEmbedder(Protocol):
    """An embedder that treats queries otherwise than documents (some models want a prompt before them)."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions). Raises EmbedderError."""
        ...


def embed_query(embedder: Embedder, text: str) -> Vectors:
    """One unit vector of a query, however long. Raises EmbedderError."""
    return embed_queries(embedder, [text])[0]


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> list[Vectors]:
    """One unit vector for each query, of any length, all made in one call of the embedder. Raises EmbedderError."""
    embed = embedder.embed_queries if isinstance(embedder, QueryEmbedder) else embedder.embed
    return embed_whole(embed, embedder, texts)


def embed_passage(embedder: Embedder, text: str) -> Vectors:
    """One unit vector of a passage that may exceed the window. Raises EmbedderError."""
    return embed_whole(embedder.embed, embedder, [text])[0]


def embed_whole(embed: Callable[[Sequence[str]], Vectors], embedder: Embedder, texts: Sequence[str]) -> list[Vectors]:
    """Of each text, or the mean direction of its windows where it exceeds one: its end is never cut off."""
    windows = [cut_windows(embedder.tokeniser, text) for text in texts]
    vectors = embed([window for cut in windows for window in cut])
    ends = list(accumulate(map(len, windows), initial=0))
    return [_direction(vectors[start:end]) for start, end in pairwise(ends)]


def _direction(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0)
    norm = np.linalg.norm(mean)
    # One vector is returned as it is: dividing by a norm of almost 1 would move it.
    vector: Vectors = mean / norm if norm and len(vectors) > 1 else vectors[0]
    return vector


def cut_windows(tokeniser: Tokeniser, text: str) -> list[str]:
    """Consecutive pieces of `text` that hold it all, each within the tokeniser's window; one piece where it fits."""
    offsets = tokeniser.offsets(text)
    if len(offsets) <= tokeniser.window or len(text) < 2:
        return [text]
    # Evenly cut: a last piece of two words would weigh as much as a full one.
    pieces = -(-len(offsets) // tokeniser.window)
    starts = [_start_of_word(offsets, len(offsets) * piece // pieces) for piece in range(1, pieces)]
    cuts = sorted({0, *(start if 0 < start < len(text) else len(text) // 2 for start in starts), len(text)})
    # A piece cut within a word may count more tokens than it did as a part of the whole.
    return [window for start, end in pairwise(cuts) for window in cut_windows(tokeniser, text[start:end])]


def _start_of_word(offsets: Sequence[tuple[int, int]], token: int) -> int:
    """The nearest character before `token` at which a word starts after white space, a few tokens back at most."""
    for index in range(token, max(token - 16, 0), -1):
        if offsets[index][0] > offsets[index - 1][1]:
            return offsets[index][0]
    return offsets[token][0]
