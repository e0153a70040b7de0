"""Palimpsest: a versioned knowledge base that answers as of any version, with proof."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.base import KnowledgeBase
    from kb.client.remote import RemoteBase, connect
    from kb.client.remote_async import AsyncRemoteBase, connect_async
    from kb.errors import KBError
    from kb.nouns import Hit, Provenance, Snapshot
    from kb.opening import open_path as open

__all__ = [
    "AsyncRemoteBase",
    "Hit",
    "KBError",
    "KnowledgeBase",
    "Provenance",
    "RemoteBase",
    "Snapshot",
    "connect",
    "connect_async",
    "open",
]

_PLACES = {
    "AsyncRemoteBase": ("kb.client.remote_async", "AsyncRemoteBase"),
    "Hit": ("kb.nouns", "Hit"),
    "KBError": ("kb.errors", "KBError"),
    "KnowledgeBase": ("kb.base", "KnowledgeBase"),
    "Provenance": ("kb.nouns", "Provenance"),
    "RemoteBase": ("kb.client.remote", "RemoteBase"),
    "Snapshot": ("kb.nouns", "Snapshot"),
    "connect": ("kb.client.remote", "connect"),
    "connect_async": ("kb.client.remote_async", "connect_async"),
    "open": ("kb.opening", "open_path"),
}


def __getattr__(name: str) -> Any:
    # Looked up on first use: whoever needs a noun must not pay for the catalog.
    if name not in _PLACES:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
