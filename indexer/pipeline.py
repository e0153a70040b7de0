"""The pipeline that this program and a configuration make up."""

from dataclasses import asdict

from indexer.chunker import CHUNKER, ChunkSettings
from indexer.extract import EXTRACTOR
from kb.analysis import ANALYSER
from kb.digest import digest
from kb.embedding.load import describe, tokeniser
from kb.pipeline import Pipeline


def current(model: str) -> Pipeline:
    """Reads the model's files but does not load it. Raises EmbedderError or UsageError."""
    described = describe(model)
    return Pipeline(
        extractor=EXTRACTOR,
        chunker=f"{CHUNKER} {digest(asdict(ChunkSettings()))[:12]}",
        tokeniser=tokeniser(model).digest,
        analyser=ANALYSER,
        embedder=described.name,
        weights_sha256=described.digest,
        dimensions=described.dimensions,
    )
