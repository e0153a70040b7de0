"""The models of a process: each embedder is loaded on its first use, and queries' vectors are remembered."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kb.embedding.protocol import Embedder, Tokeniser, Vectors
from kb.embedding.queries import QueryVectors
from kb.pipeline import Pipeline

if TYPE_CHECKING:
    from kb.embedding.reranker import Reranker

LoadModel = Callable[[str, str], Embedder]
"""From a recorded name and digest of weights to the embedder. Raises EmbedderError."""


class Models:
    """Embedders by the embedding space that they make; any number of threads may ask."""

    def __init__(self, load: LoadModel | None = None) -> None:
        self._load = load
        self._embedders: dict[str, Embedder] = {}
        self._rerankers: dict[str, Reranker] = {}
        self._queries = QueryVectors()

    def query_vector(self, pipeline: Pipeline, text: str) -> Vectors:
        """One unit vector of the query in the pipeline's space. Raises EmbedderError."""
        return self._queries.vector(pipeline.space, text, lambda: self._embedder(pipeline))

    def tokeniser(self, pipeline: Pipeline) -> Tokeniser:
        """The pipeline's own. Raises EmbedderError."""
        return self._embedder(pipeline).tokeniser

    def reranker(self, name: str) -> "Reranker":
        """The cross-encoder in that directory. Raises UsageError or EmbedderError."""
        from kb.embedding.reranker import Reranker

        if name not in self._rerankers:
            self._rerankers[name] = Reranker(name)
        return self._rerankers[name]

    def _embedder(self, pipeline: Pipeline) -> Embedder:
        from kb.embedding.load import load

        if pipeline.space not in self._embedders:
            found = (self._load or load)(pipeline.embedder, pipeline.weights_sha256)
            self._embedders[pipeline.space] = found
        return self._embedders[pipeline.space]
