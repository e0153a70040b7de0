"""Taking in a listing: fetch, extract and chunk what changed, and sort it into what is new, same, refused or gone."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.protocol import Connector, Entry, Fetched, Listing
from indexer.extract import NotADocument
from indexer.extract.pool import ExtractionPool
from indexer.originals import Originals
from indexer.prepare import Prepared, Task, prepare, weigh
from indexer.progress import Event, Observer
from indexer.state import Difference, SourceState
from kb.catalog.scan import Quarantined, Seen
from kb.digest import document_id, sha256_bytes
from kb.errors import DeletionRefused, DocumentGone, DocumentUnavailable, ExtractionError, KBError
from kb.layout import Layout
from kb.nouns import FOREVER, DocumentVersion


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of a listing's entries, all of it known before anything is written."""

    opened: tuple[DocumentVersion, ...]
    """New document versions; `since` and `until` are set when they are published."""
    closed: tuple[DocumentVersion, ...]
    layouts: Mapping[str, Layout]
    """Those that `opened` names and the store may not hold yet."""
    seen: tuple[Seen, ...]
    forgotten: tuple[str, ...]
    refused: tuple[Quarantined, ...]
    released: tuple[str, ...]
    skipped: Mapping[str, int]
    access: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    """What the source says of who may see each document that was read, by URI; None where it says nothing."""
    moves: bool = False
    """Whether every chunk is born anew in another embedding space."""

    @classmethod
    def withdrawal(cls, state: SourceState) -> "Intake":
        """All that a source ever brought in goes."""
        known = tuple(state.seen)
        return cls((), tuple(state.documents.values()), {}, (), known, (), known, {})

    @property
    def changes_documents(self) -> bool:
        return bool(self.opened or self.closed)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What one intake works with."""

    source: str
    connector: Connector
    pool: ExtractionPool
    observe: Observer
    model: str
    fingerprint: str
    moment: datetime
    rework: bool
    guard: float
    """Share of the documents that may go; 1 where all may."""
    originals: Originals | None = None
    """Where bytes that were read anew are kept, if they are."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was learned by reading an entry, its bytes let go again. `content_sha256` is None where it could not be."""

    entry: Entry
    content_sha256: str | None = None
    revision: str | None = None
    modified_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    access: tuple[str, ...] | None = None


Result = Prepared | DocumentVersion | KBError
Outcome = tuple[Read, Result]


def take_in(around: Circumstances, listing: Listing, state: SourceState, difference: Difference) -> Intake:
    """Raises DeletionRefused where the guard forbids what is gone."""
    outcomes = [outcome for outcome in _outcomes(around, state, difference) if not _vanished(outcome)]
    taken = [_version(around, read, result) for read, result in outcomes if not isinstance(result, KBError)]
    opened = tuple(version for version in taken if _news(state, version))
    gone = tuple(state.documents[uri] for uri in difference.gone if uri in state.documents)
    if listing.removed is None:
        _guard(around, state, gone, opened)
    skipped = [read.entry.uri for read, result in outcomes if _junk(state, read, result)]
    return Intake(
        opened=opened,
        closed=gone + tuple(state.documents[version.uri] for version in opened if version.uri in state.documents),
        layouts={result.layout.key: result.layout for _, result in outcomes if isinstance(result, Prepared)},
        seen=tuple(_seen(state, read, result) for read, result in outcomes),
        forgotten=tuple(uri for uri in difference.gone if uri in state.seen),
        refused=tuple(_refusals(around, state, outcomes)),
        released=(*(version.uri for version in taken), *skipped, *difference.gone),
        skipped=dict(Counter(listing.skipped) + Counter(binary=len(skipped))),
        access={read.entry.uri: read.access for read, _ in outcomes if read.content_sha256 is not None},
    )


def _outcomes(around: Circumstances, state: SourceState, difference: Difference) -> Iterator[Outcome]:
    """Each changed entry with what it came to: fetched one by one, prepared side by side, in order."""
    waiting: deque[tuple[Read, Result | None]] = deque()
    total = len(difference.changed)
    for prepared in around.pool.map(prepare, _tasks(around, state, difference, waiting), weigh):
        yield from _settled(waiting)
        read, _ = waiting.popleft()
        around.observe(Event("extract", around.source, read.entry.uri, total=total))
        yield read, _foreseen(prepared, read.entry.uri)
    yield from _settled(waiting)


def _foreseen(prepared: Prepared | Exception, uri: str) -> Result:
    # A document that a parser was not ready for must not stop the others.
    if isinstance(prepared, Prepared | KBError):
        return prepared
    return ExtractionError("corrupt", f"{uri} cannot be read: {type(prepared).__name__}: {prepared}")


def _tasks(
    around: Circumstances, state: SourceState, difference: Difference, waiting: deque[tuple[Read, Result | None]]
) -> Iterator[Task]:
    """What must be prepared; every entry is put in the queue, those that need no preparing with their result."""
    for entry, fetched in _fetched(around, difference.changed):
        if isinstance(fetched, KBError):
            waiting.append((Read(entry), fetched))
            continue
        content = sha256_bytes(fetched.content)
        access = None if fetched.access is None else tuple(fetched.access)
        # What was read may be newer than what was listed; it would pass for the listed once that comes back.
        entry = replace(entry, stamp=entry.stamp if fetched.stamp is None else fetched.stamp)
        read = Read(entry, content, fetched.revision, fetched.modified_at, dict(fetched.metadata), access)
        living = None if around.rework else state.documents.get(entry.uri)
        same = living if living and living.content_sha256 == content else None
        waiting.append((read, same))
        if same is None:
            if around.originals is not None:
                around.originals.keep(content, fetched.content)
            yield Task(fetched.content, entry.uri, fetched.media_type, around.model, fetched.boilerplate)


def _settled(waiting: deque[tuple[Read, Result | None]]) -> Iterator[Outcome]:
    """Takes from the queue's front whatever has its result."""
    while waiting and (result := waiting[0][1]) is not None:
        yield waiting.popleft()[0], result


def _fetched(around: Circumstances, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Fetched | KBError]]:
    for done, entry in enumerate(entries):
        around.observe(Event("fetch", around.source, entry.uri, done, len(entries)))
        try:
            yield entry, around.connector.fetch(entry)
        except (DocumentUnavailable, ExtractionError) as error:
            yield entry, error


def _vanished(outcome: Outcome) -> bool:
    # It went between the listing and the reading: the next poll will tell what became of it.
    return isinstance(outcome[1], DocumentGone)


def _version(around: Circumstances, read: Read, result: Prepared | DocumentVersion) -> DocumentVersion:
    """The document version that an entry came to; an unchanged one keeps its revision and time."""
    if isinstance(result, DocumentVersion):
        return replace(result, metadata=read.metadata)
    assert read.content_sha256 is not None, "what was prepared was read"
    return DocumentVersion(
        document_id=document_id(around.source, read.entry.uri),
        source=around.source,
        uri=read.entry.uri,
        since=0,
        until=FOREVER,
        title=result.title,
        media_type=result.media_type,
        content_sha256=read.content_sha256,
        text_sha256=result.layout.text_sha256,
        layout=result.layout.key,
        source_revision=read.revision,
        modified_at=read.modified_at,
        fingerprint=around.fingerprint,
        metadata=read.metadata,
    )


def _news(state: SourceState, version: DocumentVersion) -> bool:
    living = state.documents.get(version.uri)
    facts = ("content_sha256", "layout", "title", "media_type", "metadata", "fingerprint")
    return living is None or any(getattr(living, fact) != getattr(version, fact) for fact in facts)


def _guard(
    around: Circumstances, state: SourceState, gone: Iterable[DocumentVersion], opened: Iterable[DocumentVersion]
) -> None:
    """A document that moved is not lost: its content came back under another name."""
    moved = Counter(version.content_sha256 for version in opened if version.uri not in state.documents)
    lost = (Counter(version.content_sha256 for version in gone) - moved).total()
    living = len(state.documents)
    if living and lost / living > around.guard:
        raise DeletionRefused(
            f"source {around.source!r} lost {lost} of its {living} documents, more than its guard of "
            f"{around.guard:.0%} allows; nothing was changed: check the source, or sync with --allow-deletes"
        )


def _junk(state: SourceState, read: Read, result: Result) -> bool:
    """Not a document, and never was one: a document that turns into junk is quarantined, its last good version kept."""
    return isinstance(result, NotADocument) and read.entry.uri not in state.documents


def _seen(state: SourceState, read: Read, result: Result) -> Seen:
    if not isinstance(result, KBError):
        return Seen(read.entry.uri, read.entry.stamp, read.content_sha256, "indexed")
    # What could not even be read may be readable next time, at the same stamp.
    stamp = "" if isinstance(result, DocumentUnavailable) else read.entry.stamp
    outcome = "skipped" if _junk(state, read, result) else "quarantined"
    return Seen(read.entry.uri, stamp, read.content_sha256, outcome)


def _refusals(around: Circumstances, state: SourceState, outcomes: Iterable[Outcome]) -> Iterator[Quarantined]:
    for read, error in outcomes:
        if isinstance(error, KBError) and not _junk(state, read, error):
            reason = _reason(error)
            moment = around.moment
            yield Quarantined(around.source, read.entry.uri, reason, str(error), read.content_sha256, moment, moment)


def _reason(error: KBError) -> str:
    if isinstance(error, NotADocument):
        return "unsupported"
    return error.reason if isinstance(error, ExtractionError) else "unreadable"
