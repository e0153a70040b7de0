"""References: whatever a user may write for a version or a document, and what it means.

`head`, `head~2` (two version numbers before it), `42`, a tag, a date or time (the newest snapshot published by then; a
date alone means its end, UTC), `NAME@REVISION` and `NAME@DATE` (where a source stood, by its own revisions and its own
time). What a reference means never changes because versions expire: one that means an expired version is refused.
"""

import difflib
import re
from datetime import datetime, timedelta
from typing import Final

from kb import sight
from kb.access import Keys
from kb.catalog import Connection, documents, names, snapshots
from kb.clock import parse_instant
from kb.digest import document_id
from kb.errors import Expired, NotFound, UsageError
from kb.kept import nearest_kept
from kb.nouns import DocumentVersion, Snapshot

_HEAD: Final = re.compile(r"head(?:~(\d*))?")
_NUMBER: Final = re.compile(r"\d{1,12}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(_DATE.pattern + r"[Tt ]\d{2}:\d{2}.*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}")


def resolve(connection: Connection, reference: str | int, keys: Keys = None) -> int:
    """The version that a reference means. Raises NotFound, Expired or UsageError.

    To those who may not see everything, it means the version that answers for it (`kb.sight`).
    """
    return resolve_snapshot(connection, reference, keys).version


def resolve_snapshot(connection: Connection, reference: str | int, keys: Keys = None) -> Snapshot:
    """The same, as the whole snapshot."""
    text = str(reference).strip()
    if _NUMBER.fullmatch(text) and (found := snapshots.get(connection, int(text))) is not None:
        return sight.answering(connection, found, keys)
    head = snapshots.head(connection)
    if not head:
        raise NotFound("nothing is published yet: add a source with `kb source add`, then run `kb sync`")
    found = _kept(connection, _version(connection, text, head, keys), text, head, keys)
    return sight.answering(connection, found, keys)


def _version(connection: Connection, text: str, head: int, keys: Keys) -> int:
    match = _HEAD.fullmatch(text)
    if match:
        # What answers for the head is the same as what answers for the true one.
        if match[1] is None:
            return head
        return sight.head(connection, keys) - int(match[1] or 1)
    if _NUMBER.fullmatch(text):
        return int(text)
    tagged = names.tagged(connection, text)
    if tagged is not None:
        return tagged
    if "@" in text:
        name, _, state = text.partition("@")
        return _source_state(connection, name, state, keys)
    moment = _moment(text)
    if moment is not None:
        return _published_by(connection, moment, text)
    raise NotFound(f"no version is called {text!r}: {_nearest_tag(connection, text)}")


def resolve_document(connection: Connection, document: str, keys: Keys = None) -> str:
    """The identity of the document that SOURCE:URI, or the beginning of its id, means. Raises NotFound."""
    source, colon, uri = document.partition(":")
    if colon:
        sight.require_source(connection, source, keys)
        identity = document_id(source, uri)
        if documents.history(connection, identity, keys):
            return identity
    elif len(document) >= 8:
        found = documents.ids_by_prefix(connection, document, keys)
        if len(found) == 1:
            return found[0]
    raise NotFound(f"there is no document {document!r}: name it SOURCE:URI as `kb show` does, or by its id")


def document_at(connection: Connection, document: str, version: int, keys: Keys = None) -> DocumentVersion:
    """The document as it is at a version. Raises NotFound."""
    identity = resolve_document(connection, document, keys)
    found = documents.some_at(connection, version, [identity]).get(identity)
    if found is None:
        at = f"at version {version}"
        raise NotFound(f"document {document!r} does not exist {at}: `kb history` shows where it does")
    return found


def check_tag(name: str) -> None:
    """Raises UsageError for a name that would hide another way to name a version, or that could not be typed."""
    if name.isdigit():
        raise UsageError(f"a tag cannot be a number: {name!r} already means version {name}")
    if _HEAD.fullmatch(name.lower()) or _moment(name) is not None or re.match(_DATE, name):
        raise UsageError(f"a tag cannot be called {name!r}: that already means a version; choose another name")
    if not _TAG.fullmatch(name):
        raise UsageError(f"a tag is made of letters, digits and `_ . / -`, at most 100: not {name[:100]!r}")


def _kept(connection: Connection, version: int, written: str, head: int, keys: Keys) -> Snapshot:
    if version < 1 and written != str(version):
        raise NotFound(f"{written} is before the first version; the newest is {sight.head(connection, keys)}")
    if not 1 <= version <= head:
        meant = "" if written == str(version) else f" ({written})"
        raise NotFound(f"version {version}{meant} does not exist; the newest is {sight.head(connection, keys)}")
    if (found := snapshots.get(connection, version)) is not None:
        return found
    kept = sight.versions(connection, keys)
    meant = f" ({written})" if written != str(version) else ""
    near = nearest_kept(kept, version)
    raise Expired(f"version {version}{meant} has expired; the oldest kept is {kept[0]}, the nearest is {near}")


def _source_state(connection: Connection, name: str, state: str, keys: Keys) -> int:
    if not sight.shows_source(connection, name, keys):
        raise NotFound(f"no source is called {name!r}: `kb source list` shows them")
    moment = _moment(state)
    if moment is not None:
        found = names.by_time(connection, name, moment)
        if found is None:
            raise NotFound(f"source {name!r} has no state as old as {state}: `kb log --source {name}` shows them")
        return found
    return _revision(connection, name, state, keys)


def _revision(connection: Connection, name: str, prefix: str, keys: Keys) -> int:
    if len(prefix) < 4:
        raise UsageError(f"{prefix!r} is too short for a revision of {name!r}: give at least 4 characters")
    found = dict(names.by_revision(connection, name, prefix))
    if keys is not None:
        # By beginnings one could find out all revisions, those of hidden changes, too.
        found = {revision: version for revision, version in found.items() if revision == prefix}
    if len(found) > 1 and prefix not in found:
        raise UsageError(f"revision {prefix!r} of {name!r} is ambiguous: {', '.join(sorted(found))}")
    if not found:
        raise NotFound(f"source {name!r} was never seen at revision {prefix!r}: `kb log --source {name}` shows them")
    return found.get(prefix) or next(iter(found.values()))


def _published_by(connection: Connection, moment: datetime, written: str) -> int:
    found = snapshots.published_by(connection, moment)
    if found is None:
        raise NotFound(
            f"nothing was published by {written}; SOURCE@{written} asks where a source stood by its own time, "
            "and `kb log` shows the versions"
        )
    return found


def _moment(text: str) -> datetime | None:
    """The instant that a date or time means; None where the text is neither."""
    try:
        if _DATE.fullmatch(text):
            return parse_instant(text) + timedelta(days=1, microseconds=-1)
        return parse_instant(text) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _nearest_tag(connection: Connection, text: str) -> str:
    near = difflib.get_close_matches(text, [*names.tags(connection), "head"], 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "give a number, head, head~N, a tag, a date, or SOURCE@REVISION; `kb log` and `kb tag --list` show them"
