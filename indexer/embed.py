"""Vectors for chunks: those ever made are found again, the rest are made and kept at once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from indexer.delta import Birth
from indexer.progress import Event, Observer
from kb.embedding.protocol import Vectors

_AT_ONCE: Final = 64
"""Chunks embedded between two moments at which what was made is made durable."""

Vector = np.ndarray[Any, np.dtype[np.float32]]


class Embeds(Protocol):
    """As much of an embedder as is needed here."""

    def embed(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors by the SHA-256 of their texts; `made` is how many of them were not known before."""

    vectors: Mapping[str, Vector]
    made: int
    seconds: float


def missing(births: Iterable[Birth], known: Mapping[str, Vector]) -> dict[str, str]:
    """The texts that have no vector yet, by their SHA-256."""
    texts = {birth.chunk.text_sha256: birth.chunk.text for birth in births}
    return {digest: text for digest, text in texts.items() if digest not in known}


def embed(
    births: Sequence[Birth],
    known: Mapping[str, Vector],
    embedder: Callable[[], Embeds],
    keep: Callable[[Mapping[str, bytes]], None],
    observe: Observer,
    source: str,
) -> Embedded:
    """Embeds the texts that are not known, longest first, and keeps each batch as soon as it is made."""
    texts = sorted(missing(births, known).items(), key=lambda pair: (-len(pair[1]), pair[0]))
    vectors = dict(known)
    model = embedder() if texts else None
    began = time.monotonic()
    for start in range(0, len(texts), _AT_ONCE):
        batch = texts[start : start + _AT_ONCE]
        observe(Event("embed", source, done=start, total=len(texts), reused=len(births) - len(texts)))
        assert model is not None
        made = model.embed([text for _, text in batch])
        vectors |= {digest: vector for (digest, _), vector in zip(batch, made, strict=True)}
        keep({digest: vectors[digest].astype("<f4").tobytes() for digest, _ in batch})
    return Embedded(vectors, len(texts), time.monotonic() - began)
