"""What a caller may see of versions, sources and quarantine: nothing tells it that there is anything else.

Keys say which documents are open to a caller (`kb.access`); None opens everything, and then all is told as it is.

A version that changed nothing of what is open is none of the caller's: the newest before it that did answers in its
place, under its own number, and so does the oldest that is kept, for whatever came before. So the log, the head, tags
and dates are the same whether hidden documents change or not. What remains: the caller's own versions keep their
numbers, so that a gap says that something was published or has expired; and any number up to the true head answers.
Scores hang on nothing hidden (`kb.store.census`). An exact search hangs on nothing hidden at all; for a quick one, the
indexes that name some hundred candidates of each side are made of all rows, so that which chunk is the last of them may
hang on others. And how long an answer takes hangs on all that there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb import diff
from kb.access import Keys, opens
from kb.answers import DocumentChange, Shown
from kb.catalog import Connection, documents, names, scan, snapshots, sources
from kb.digest import document_id
from kb.kept import first_kept
from kb.nouns import FOREVER, ChunkCounts, DocumentCounts, Snapshot, Source


def answering(connection: Connection, snapshot: Snapshot, keys: Keys) -> Snapshot:
    """The version that answers for a kept one."""
    if keys is None:
        return snapshot
    found = snapshots.kept_from(connection, documents.last_event(connection, snapshot.version, keys))
    assert found is not None, "the version itself is kept"
    return found


def head(connection: Connection, keys: Keys) -> int:
    """The newest version, 0 before the first."""
    newest = snapshots.get(connection, snapshots.head(connection))
    return 0 if newest is None else answering(connection, newest, keys).version


def versions(connection: Connection, keys: Keys) -> list[int]:
    """Those that are kept and the caller's, in order."""
    kept = snapshots.kept(connection)
    if keys is None:
        return kept
    found = {first_kept(kept, event) for event in documents.events(connection, keys)}
    return sorted({*kept[:1], *found} - {FOREVER})


def before(connection: Connection, version: int, keys: Keys) -> int | None:
    """The version to compare with: the caller's nearest before, 0 before the first; None where it has expired."""
    previous = snapshots.kept_before(connection, version)
    if previous is None:
        return 0 if version == 1 else None
    found = snapshots.get(connection, previous)
    return previous if found is None else answering(connection, found, keys).version


def newest(
    connection: Connection, limit: int | None, source: str | None, keys: Keys, before: int | None = None
) -> Sequence[Snapshot]:
    """The caller's versions, newest first, or those older than `before`. Raises NotFound for an unknown source."""
    if source is not None:
        require_source(connection, source, keys)
    if keys is None:
        return snapshots.newest(connection, limit, source, before)
    own = set(versions(connection, keys))
    kept = [one for one in snapshots.newest(connection, None, source, before) if one.version in own]
    return [told(connection, one, keys) for one in kept[:limit]]


def told(connection: Connection, snapshot: Snapshot, keys: Keys) -> Snapshot:
    """The snapshot as the caller may know it.

    Its documents are counted anew, against the caller's version before. What is of everything in it or of the source's
    whole state is left out: its chunks (all 0), its digests and message (empty), the source's revision and time.
    """
    if keys is None:
        return snapshot
    parent = before(connection, snapshot.version, keys)
    changed = [change.change for change in changes(connection, parent or 0, snapshot.version, keys)]
    counts = {f"{kind}": changed.count(kind) for kind in ("added", "changed", "removed")}
    return replace(
        snapshot,
        parent=parent or None,
        source=snapshot.source if snapshot.source and shows_source(connection, snapshot.source, keys) else None,
        source_revision=None,
        source_time=None,
        message=None,
        documents=DocumentCounts(**counts, total=documents.count_at(connection, snapshot.version, keys=keys)),
        chunks=ChunkCounts(0, 0, 0, 0, 0),
        content_digest="",
        rows_digest="",
        changes_digest="",
        digest="",
    )


def shown(connection: Connection, snapshot: Snapshot, keys: Keys) -> Shown:
    """One of the caller's versions, with what it changed."""
    parts = snapshots.pipeline_parts(connection, snapshot.fingerprint) or {}
    called = tuple(name for name, version in tags(connection, keys).items() if version == snapshot.version)
    earlier = before(connection, snapshot.version, keys)
    found = () if earlier is None else changes(connection, earlier, snapshot.version, keys)
    return Shown(told(connection, snapshot, keys), found, parts, called, earlier)


def changes(connection: Connection, earlier: int, later: int, keys: Keys) -> tuple[DocumentChange, ...]:
    """The documents that differ between two versions, by source and URI."""
    touched = documents.touched(connection, min(earlier, later), max(earlier, later), keys)
    return diff.document_changes(touched, earlier, later)


def tags(connection: Connection, keys: Keys) -> dict[str, int]:
    """Each with the version that answers for it."""
    found = names.tags(connection)
    if keys is None:
        return found
    kept = {version: snapshots.get(connection, version) for version in set(found.values())}
    answers = {version: answering(connection, one, keys).version for version, one in kept.items() if one}
    # A tagged version may have expired.
    return {name: answers.get(version, version) for name, version in found.items()}


def listed_sources(connection: Connection, keys: Keys) -> Sequence[Source]:
    """Those whose setting opens them, or one of whose documents is open. Where they are, and whose, is left out."""
    found = sources.listed(connection)
    if keys is None:
        return found
    holding = documents.sources_of(connection, keys)
    return [_told_source(one) for one in found if opens(keys, one.access) or one.name in holding]


def source(connection: Connection, name: str, keys: Keys) -> Source:
    """Raises NotFound, naming those there are."""
    shown = {one.name: one for one in listed_sources(connection, keys)}
    if name not in shown:
        raise sources.unknown(name, shown)
    return shown[name]


def require_source(connection: Connection, name: str, keys: Keys) -> None:
    """Raises NotFound for what is no source and never was one."""
    if not shows_source(connection, name, keys):
        source(connection, name, keys)


def shows_source(connection: Connection, name: str, keys: Keys) -> bool:
    """Whether there is such a source, or was one."""
    found = sources.get(connection, name)
    if keys is None:
        return found is not None or snapshots.latest_of(connection, name) is not None
    opened = found is not None and opens(keys, found.access)
    return opened or documents.any_of_source(connection, name, keys)


def quarantined(connection: Connection, name: str | None, keys: Keys) -> Sequence[scan.Quarantined]:
    """Documents of which the caller may see a version. What no version has may be closed by a list that nobody read.

    Raises NotFound for what is no source.
    """
    if name is not None:
        source(connection, name, keys)
    found = scan.quarantined(connection, name)
    if keys is None:
        return found
    ids = {one: document_id(one.source, one.uri) for one in found}
    shown = documents.open_ids(connection, ids.values(), keys)
    return [one for one, identity in ids.items() if identity in shown]


def quarantine_counts(found: Sequence[scan.Quarantined]) -> Mapping[str, Mapping[str, int]]:
    """How many of each source, by reason."""
    counts: dict[str, dict[str, int]] = {}
    for one in found:
        reasons = counts.setdefault(one.source, {})
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    return counts


def _told_source(found: Source) -> Source:
    return replace(found, options={}, owner=None, access=None)
