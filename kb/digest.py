"""Digests: of texts, of values in a canonical form, and of sets that change one member at a time."""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from kb.nouns import DocumentVersion

if TYPE_CHECKING:
    import numpy as np

_LANES: Final = 1024


def sha256_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_text(text: str) -> str:
    return sha256_bytes(text.encode("utf-8", "surrogatepass"))


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no white space: equal values give equal bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def digest(*parts: Any) -> str:
    """SHA-256 of the parts' canonical form."""
    return sha256_bytes(canonical(parts))


def document_id(source: str, uri: str) -> str:
    """A document's identity: 32 hexadecimal digits."""
    return digest("document", source, uri)[:32]


@lru_cache(maxsize=1 << 16)
def chunk_id(document: str, text_sha256: str, occurrence: int) -> str:
    """A chunk's identity: 32 hexadecimal digits. Never the position: an insertion must not touch what is behind it."""
    return digest("chunk", document, text_sha256, occurrence)[:32]


def document_member(value: DocumentVersion) -> bytes:
    """What stands for a document in the content digest: all that a rebuild from the same sources would find again."""
    facts = (value.source, value.uri, value.title, value.media_type, value.content_sha256, value.layout)
    return canonical(("document", *facts, dict(value.metadata)))


class SetDigest:
    """A digest of a set that costs the change, not the size: LtHash with 1024 lanes of 16 bits.

    Bellare and Micciancio, "A new paradigm for collision-free hashing" (1997); parameters after Lewi et al., "Securing
    update propagation with homomorphic hashing" (2019).
    """

    def __init__(self, state: bytes | None = None) -> None:
        # Here and below, so that a command that needs no more than an identity does not wait for it.
        import numpy as np

        self._lanes = np.zeros(_LANES, "<u2") if state is None else np.frombuffer(state, "<u2").copy()

    def add(self, members: Iterable[bytes]) -> None:
        for member in members:
            self._lanes += _expand(member)

    def remove(self, members: Iterable[bytes]) -> None:
        for member in members:
            self._lanes -= _expand(member)

    def merge(self, other: "SetDigest") -> None:
        """Adds all of another's members, and removes those that it removed."""
        self._lanes += other._lanes

    def state(self) -> bytes:
        return self._lanes.tobytes()

    def hexdigest(self) -> str:
        return sha256_bytes(self.state())


def _expand(member: bytes) -> "np.ndarray[Any, np.dtype[np.uint16]]":
    import numpy as np

    return np.frombuffer(hashlib.shake_128(member).digest(_LANES * 2), "<u2")
