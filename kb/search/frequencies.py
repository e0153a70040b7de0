"""BM25's statistics that were asked for before: what a snapshot holds never changes."""

from collections.abc import Sequence
from threading import Lock
from typing import Final

from cachetools import LRUCache

from kb.bm25 import Statistics
from kb.catalog import Connection, snapshots, terms
from kb.nouns import Snapshot

_REMEMBERED: Final = 50_000
"""Terms, each as of one snapshot: some 10 MB."""


class Frequencies:
    """Those of whole snapshots, as they are published. For any number of threads."""

    def __init__(self) -> None:
        self._terms: LRUCache[tuple[str, str], int] = LRUCache(_REMEMBERED)
        self._tokens: LRUCache[str, int] = LRUCache(_REMEMBERED)
        self._knowing = Lock()

    def statistics(self, connection: Connection, snapshot: Snapshot, query: Sequence[str]) -> Statistics:
        """For the terms of the query."""
        wanted, digest = set(query), snapshot.digest
        with self._knowing:
            tokens = self._tokens.get(digest)
            found = {term: count for term in wanted if (count := self._terms.get((digest, term))) is not None}
        if tokens is None:
            tokens = snapshots.tokens_total(connection, snapshot.version)
        if missing := wanted - found.keys():
            found |= dict.fromkeys(missing, 0) | terms.frequencies(connection, snapshot.version, missing)
        with self._knowing:
            self._tokens[digest] = tokens
            self._terms.update({(digest, term): found[term] for term in missing})
        return Statistics(snapshot.chunks.total, tokens, found)
