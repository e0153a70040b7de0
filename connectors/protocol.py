"""What a connector is: the few calls by which Palimpsest learns what a source holds.

A connector knows nothing of chunks, vectors or versions. It is complete or it raises: `poll` either tells all that the
source holds (or all that changed since the checkpoint), or raises `SourceUnavailable`. A document that is not listed is
a document that is gone, so nothing may ever be skipped because it could not be read.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

MAX_BYTES = 256 * 2**20
"""Larger documents are not read into memory unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as a listing shows it. `uri` is its name within the source (a path with `/`, or a URL)."""

    uri: str
    stamp: str
    """Cheap evidence of change: equal stamps mean equal bytes."""
    locator: str = ""
    """Whatever `fetch` needs beside the URI (git: the commit)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds at one moment.

    With `removed` None the entries are complete: what they lack is gone. Otherwise the entries are what was added or
    changed since the checkpoint, and `removed` names what went.
    """

    entries: tuple[Entry, ...]
    checkpoint: str
    removed: frozenset[str] | None = None
    revision: str | None = None
    time: datetime | None = None
    message: str | None = None
    passed: tuple[tuple[str, datetime], ...] = ()
    """Revisions between the checkpoint and this listing that changed no selected document, oldest first."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Counts of what was left out by name and on purpose (`submodule`, `symlink`, …)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document's bytes and what the source says about them."""

    content: bytes
    media_type: str | None = None
    revision: str | None = None
    modified_at: datetime | None = None
    access: tuple[str, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    stamp: str | None = None
    """The stamp of just these bytes, where the document is no longer as it was listed."""
    boilerplate: bool = False
    """Whether navigation and notices surround the main text, as on a website's pages; extraction leaves them out."""


class Connector(Protocol):
    """A kind of source. Built by its `Kind`; the constructor takes parsed options and never touches the source."""

    def poll(self, checkpoint: str | None) -> Listing:
        """The source as it is now. Raises SourceUnavailable where it cannot be read wholly."""
        ...

    def fetch(self, entry: Entry) -> Fetched:
        """One document's bytes. Raises DocumentGone, DocumentUnavailable, ExtractionError ("too large"), or
        SourceUnavailable where not the document but the whole source went away."""
        ...


@runtime_checkable
class Historical(Protocol):
    """A source that knows its own past."""

    @property
    def keeps_history(self) -> bool:
        """Whether it was asked to tell its past; otherwise it is polled."""
        ...

    def history(self, checkpoint: str | None) -> Iterator[Listing]:
        """Each state after the checkpoint, oldest first; each is to become a snapshot. Raises SourceUnavailable."""
        ...


@runtime_checkable
class Watching(Protocol):
    """A source that can tell by itself when to look at it again."""

    def watch(self, wake: Callable[[], None]) -> "Closeable":
        """Calls `wake`, from any thread, when something may have changed, until what is returned is closed.

        A wake that is missed costs delay and nothing else: whoever watches also polls. Raises SourceUnavailable.
        """
        ...


@runtime_checkable
class Closeable(Protocol):
    """A connector that holds something open between calls."""

    def close(self) -> None: ...


class Kind(Protocol):
    """What the entry-point group `kb.connectors` names: a connector's class."""

    options_type: ClassVar[type[Any]]
    """A frozen dataclass whose fields name their parsers; see `connectors.options`."""

    def __call__(self, options: Any, *, workspace: Path, max_bytes: int) -> Connector: ...
