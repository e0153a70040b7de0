"""Palimpsest: a versioned knowledge base that answers as of any version, with proof."""

from kb.base import KnowledgeBase
from kb.base import open_path as open
from kb.errors import KBError
from kb.nouns import Hit, Provenance, Snapshot

__all__ = ["Hit", "KBError", "KnowledgeBase", "Provenance", "Snapshot", "open"]
