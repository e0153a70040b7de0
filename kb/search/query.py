"""What is asked of a version, checked, and what the answer is read from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kb.access import Keys
from kb.catalog import Connection
from kb.errors import UsageError
from kb.nouns import Expand, Mode, Snapshot
from kb.pipeline import Pipeline
from kb.search.filters import Filters
from kb.search.frequencies import Frequencies
from kb.store import Store
from kb.store.chunks import ChunkTable

LONGEST_QUERY: Final = 10_000
"""Characters."""
MOST_HITS: Final = 1_000
MOST_TOKENS: Final = 1_000_000
RERANKED: Final = 50
"""Texts that a cross-encoder scores at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query. Raises UsageError on construction where it cannot be answered."""

    text: str
    k: int = 10
    mode: Mode = "hybrid"
    exact: bool = False
    filters: Filters = field(default_factory=dict)
    keys: Keys = None
    """What opens documents to the caller (`kb.access`); None for one who may see everything."""
    budget_tokens: int | None = None
    """Tokens that all texts together may have."""
    expand: Expand | None = None
    per_document: int | None = None
    """Hits of one document at most."""
    rerank: str | None = None
    """The directory of a cross-encoder."""

    @property
    def needed(self) -> int:
        """Texts that must be known before hits are chosen of them."""
        return self.k if self.rerank is None else max(self.k, RERANKED)

    @property
    def assembled(self) -> bool:
        """Whether hits are joined to longer passages."""
        return self.budget_tokens is not None or self.expand is not None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("the query is empty: give some words to search for")
        if any("\ud800" <= character <= "\udfff" for character in self.text):
            raise UsageError("the query is not valid Unicode: give it as UTF-8")
        if len(self.text) > LONGEST_QUERY:
            raise UsageError(f"the query has {len(self.text)} characters; at most {LONGEST_QUERY} are allowed")
        if not 1 <= self.k <= MOST_HITS:
            raise UsageError(f"k must be from 1 to {MOST_HITS}, not {self.k}")
        if self.mode not in ("hybrid", "dense", "bm25"):
            raise UsageError(f"mode must be hybrid, dense or bm25, not {self.mode!r}")
        if self.budget_tokens is not None and not 1 <= self.budget_tokens <= MOST_TOKENS:
            raise UsageError(f"budget_tokens must be from 1 to {MOST_TOKENS}, not {self.budget_tokens}")
        if self.expand not in (None, "section"):
            raise UsageError(f"expand must be section, not {self.expand!r}")
        if self.per_document is not None and not 1 <= self.per_document <= MOST_HITS:
            raise UsageError(f"per_document must be from 1 to {MOST_HITS}, not {self.per_document}")


@dataclass(frozen=True, slots=True)
class View:
    """What one search reads: the catalog and the store, as they were at a snapshot."""

    connection: Connection
    store: Store
    table: ChunkTable
    snapshot: Snapshot
    frequencies: Frequencies
    pipeline: Callable[[str], Pipeline]
    """What a fingerprint stands for."""
