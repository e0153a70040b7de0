"""The store: chunk rows with life spans and document texts, in LanceDB; the one door to it."""

from kb.store.rows import ChunkRow
from kb.store.store import Store

__all__ = ["ChunkRow", "Store"]
