"""The pipeline: everything that shapes a chunk or a vector, and the fingerprint that names it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from kb.digest import digest

_OF_SPACE: Final = ("analyser", "embedder", "weights_sha256", "dimensions")


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
        """The space of the rows: vectors and tokens of different spaces cannot be compared."""
        return digest("space", *(getattr(self, part) for part in _OF_SPACE))[:16]

    def in_space_of(self, other: "Pipeline") -> "Pipeline":
        """This pipeline with the other's space."""
        return replace(self, **{part: getattr(other, part) for part in _OF_SPACE})

    def parts(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> "Pipeline":
        return cls(**parts)

    def differs(self, other: "Pipeline") -> list[str]:
        """The names of the parts in which the two differ."""
        return [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
