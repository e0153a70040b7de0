"""Palimpsest: a versioned knowledge base that answers as of any version, with proof."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.base import KnowledgeBase
    from kb.errors import KBError
    from kb.nouns import Hit, Provenance, Snapshot
    from kb.opening import open_path as open

__all__ = ["Hit", "KBError", "KnowledgeBase", "Provenance", "Snapshot", "open"]

_PLACES = {
    "Hit": ("kb.nouns", "Hit"),
    "KBError": ("kb.errors", "KBError"),
    "KnowledgeBase": ("kb.base", "KnowledgeBase"),
    "Provenance": ("kb.nouns", "Provenance"),
    "Snapshot": ("kb.nouns", "Snapshot"),
    "open": ("kb.opening", "open_path"),
}


def __getattr__(name: str) -> Any:
    # Looked up on first use: whoever needs a noun must not pay for the catalog.
    if name not in _PLACES:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
