"""What an embedder is: text in, unit vectors out, and the tokeniser by which passages are measured."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Tokeniser(Protocol):
    """Cuts text as the model does. Cheap to build: no model is loaded for it."""

    @property
    def digest(self) -> str:
        """SHA-256 of the tokeniser's own file or rule."""
        ...

    @property
    def window(self) -> int:
        """The most tokens of text that one vector covers, special tokens not counted."""
        ...

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Start and end, in characters, of each token of `text`."""
        ...


class Embedder(Protocol):
    """A model that gives texts their vectors."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def tokeniser(self) -> Tokeniser: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions). Raises EmbedderError."""
        ...
