"""What the knowledge base answers with, beside the nouns: frozen values that render to the contract's JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal

from kb.clock import format_instant
from kb.nouns import Change, DocumentVersion, Hit, Mode, Snapshot, Source


@dataclass(frozen=True, slots=True)
class Served:
    """The version that an answer was given from, and the reference that it was asked by."""

    reference: str
    version: int
    committed_at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether what was known when an answer was given was as fresh as it should be.

    `behind` are the sources past their freshness target by then, by name; those without a target are never among them.
    """

    complete: bool = True
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer(Sequence[Hit]):
    """A search's hits; a sequence of them.

    Best first; where they were widened or had to fit, in reading order within a document, documents by their best hit.
    """

    query: str
    request_id: str
    mode: Mode
    exact: bool
    took_ms: float
    as_of: Served
    hits: tuple[Hit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds of each step, in their order."""
    coverage: Coverage = Coverage()

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, index: Any) -> Any:
        return self.hits[index]


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that differs between two versions; `before` or `after` is None where it does not exist."""

    uri: str
    source: str
    change: Change
    before: DocumentVersion | None
    after: DocumentVersion | None
    text: str | None = None
    """The unified diff of the two texts, where it was asked for."""


@dataclass(frozen=True, slots=True)
class ChunkChange:
    """A chunk that lives at one of two versions only."""

    uri: str
    source: str
    change: Change
    chunk_id: str
    text_sha256: str
    section: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ResultChange:
    """A hit of a query whose rank differs between two versions; None where it is not among the first."""

    query: str
    uri: str
    source: str
    chunk_id: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two versions, at the level asked for."""

    before: int
    after: int
    documents: tuple[DocumentChange, ...] = ()
    chunks: tuple[ChunkChange, ...] = ()
    results: tuple[ResultChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One snapshot with the documents that it changed, and the pipeline that made it.

    `compared_with` is the version that the documents are compared with: the nearest kept one before, 0 for what was
    before the first. It is None where all before have expired: what the snapshot changed cannot be told any more.
    """

    snapshot: Snapshot
    documents: tuple[DocumentChange, ...]
    pipeline: Mapping[str, Any]
    tags: tuple[str, ...]
    compared_with: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text as of a version."""

    version: DocumentVersion
    as_of: Served
    text: str


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source stands. Times are None before the first sync.

    `lag_s` is the age of what is known of it: seconds since a sync that succeeded began. `stale` is None where no
    target is set. The circuit is open where it failed so often that it is hardly tried any more.
    """

    source: Source
    documents: int
    quarantine: Mapping[str, int]
    skipped: Mapping[str, int]
    last_run: datetime | None
    last_error: str | None
    last_published: datetime | None
    source_revision: str | None
    changed_at: datetime | None
    lag_s: float | None
    stale: bool | None
    failures: int
    circuit: Literal["closed", "open"]
    guarded: bool
    """Whether its guard against deletions holds a sync back."""
    running_since: datetime | None
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """How the knowledge base stands. Sizes are bytes on disk; `daemon` is the address of the one that follows it."""

    home: str
    model: str
    daemon: str | None
    head: int
    committed_at: datetime | None
    documents: int
    chunks: int
    catalog_bytes: int
    store_bytes: int
    sources: tuple[SourceStatus, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `verify` found not to hold."""

    what: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` checked, and all that it found wrong.

    `expired` counts those of the snapshots of which only the record remains to be checked.
    `sources` counts documents compared with their sources, `quarantined` those that were not because a newer state of
    theirs is in quarantine.
    """

    version: int
    snapshots: int
    expired: int
    documents: int
    chunks: int
    sources: int
    quarantined: int
    findings: tuple[Finding, ...]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: dataclasses as objects, moments as RFC 3339."""
    if isinstance(value, Diff):
        rest = {field.name: plain(getattr(value, field.name)) for field in fields(value)[2:]}
        return {"from": value.before, "to": value.after, **rest}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value
