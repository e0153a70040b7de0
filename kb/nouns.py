"""The nouns of Palimpsest: frozen values that every part speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

FOREVER = 2**31 - 1
"""`until` of a row that lives."""

QUARANTINE_REASONS = (
    "encrypted",
    "corrupt",
    "empty",
    "unsupported",
    "undecodable",
    "too large",
    "timed out",
    "out of memory",
    "unreadable",
)

Mode = Literal["hybrid", "dense", "bm25"]
Change = Literal["added", "changed", "removed"]
Expand = Literal["section"]
"""What a hit is widened to."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk's place in one document version: `text[start:end]`, offsets in characters."""

    start: int
    end: int
    section: tuple[str, ...] = ()
    """The headings that the passage stands under, outermost first."""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage's text as it is indexed. The same text twice in a document is told apart by `occurrence` alone."""

    chunk_id: str
    document_id: str
    text_sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A configured origin of documents."""

    name: str
    kind: str
    options: Mapping[str, Any]
    owner: str | None = None
    every: str | None = None
    cron: str | None = None
    created_at: datetime | None = None
    access: tuple[str, ...] | None = None
    """The groups that may see its documents; None for everyone. What it says of a document itself goes before."""
    fresh_within: str | None = None
    """How old what is known of it may be, such as 15m."""
    delete_guard: float | None = None
    """Share of its documents that one sync may remove; None for the knowledge base's own."""
    keep_original: bool = False
    """Whether documents' bytes are kept beside their texts."""


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """A document as it was from version `since` until version `until` (half-open)."""

    document_id: str
    source: str
    uri: str
    since: int
    until: int
    title: str | None
    media_type: str
    content_sha256: str
    text_sha256: str
    layout: str
    """Digest of the text and the passages cut from it: the key of both in the store."""
    source_revision: str | None
    modified_at: datetime | None
    fingerprint: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    added: int
    changed: int
    removed: int
    total: int


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    added: int
    removed: int
    embedded: int
    reused: int
    total: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published, immutable state; its number is its version."""

    version: int
    parent: int | None
    committed_at: datetime
    source: str | None
    source_revision: str | None
    source_time: datetime | None
    message: str | None
    fingerprint: str
    documents: DocumentCounts
    chunks: ChunkCounts
    content_digest: str
    """Of the documents and chunks alone: equal for equal content, whatever the history."""
    rows_digest: str
    """Of the stored rows, vectors included."""
    changes_digest: str
    """Of the document versions that this snapshot opened and closed."""
    digest: str
    """Of all above and the parent's digest."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a hit comes from. `start` and `end` are character offsets into the document's text at that version.

    `since` and `until` are the life of the chunk; of a hit that joins several, that of the document's version.
    """

    source: str
    uri: str
    title: str | None
    section: tuple[str, ...]
    start: int
    end: int
    page: int | None
    source_revision: str | None
    modified_at: datetime | None
    content_sha256: str
    text_sha256: str
    version: int
    since: int
    until: int | None
    fingerprint: str
    embedder: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The parts of a hit's score; None where that side did not see the chunk. Ranks count from 1 among all chunks."""

    dense: float | None = None
    dense_rank: int | None = None
    bm25: float | None = None
    bm25_rank: int | None = None
    rerank: float | None = None
    """By the cross-encoder, where one was asked: this then is the hit's score."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that was found. Where it joins several chunks, its score, parts and `chunk_id` are those of the best."""

    rank: int
    score: float
    scores: Scores
    text: str
    chunk_id: str
    document_id: str
    provenance: Provenance
    also: tuple[Provenance, ...] = ()
    """The other places where the same text stands, or that of one of its chunks; by source, URI and position."""
    chunks: tuple[str, ...] = ()
    """The ids of all chunks whose text it holds, in reading order."""
