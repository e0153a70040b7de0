"""The pipeline: everything that shapes a chunk or a vector, and the fingerprint that names it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kb.digest import digest


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Each part by name, version or digest. Two pipelines of one fingerprint make the same of the same bytes."""

    extractor: str
    chunker: str
    tokeniser: str
    analyser: str
    embedder: str
    weights_sha256: str
    dimensions: int

    @property
    def fingerprint(self) -> str:
        return digest("pipeline", self.parts())

    @property
    def space(self) -> str:
        """The embedding space: vectors of different spaces cannot be compared."""
        return digest("space", self.embedder, self.weights_sha256, self.dimensions)[:16]

    def parts(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> "Pipeline":
        return cls(**parts)

    def differs(self, other: "Pipeline") -> list[str]:
        """The names of the parts in which the two differ."""
        return [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
