"""Answers as lines for people."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kb import duration
from kb.answers import Answer, ChunkChange, Diff, DocumentChange, Served, Shown, SourceStatus, Status, Verification
from kb.nouns import FOREVER, DocumentVersion, Hit, Snapshot

if TYPE_CHECKING:
    from kb.catalog.scan import Quarantined

_MARKS: Mapping[str, str] = {"added": "+", "changed": "~", "removed": "-"}

_NAMED = 5
"""Other places of a text that are named for people."""


def moment(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value else "-"


def counted(number: int, noun: str) -> str:
    """`1 hit`, `2 hits`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def answer(found: Answer) -> Iterator[str]:
    yield f"{served(found.as_of)}  {counted(len(found), 'hit')} in {found.took_ms:.0f} ms"
    for hit in found.hits:
        yield ""
        yield from _hit(hit)
    if not found.hits:
        yield "nothing matches"
    if found.coverage.behind:
        yield ""
        yield f"behind their freshness target: {', '.join(found.coverage.behind)}"


def served(as_of: Served) -> str:
    digest = f", digest {as_of.digest[:12]}" if as_of.digest else ""
    return f"version {as_of.version}, published {moment(as_of.committed_at)} UTC{digest}"


def _hit(hit: Hit) -> Iterator[str]:
    place = hit.provenance
    page = f" page {place.page}" if place.page else ""
    yield f"{hit.rank:>3}. {hit.score:.3f}  {place.source}:{place.uri}{page} [{place.start}:{place.end}]"
    if place.section:
        yield f"     {' > '.join(place.section)}"
    if hit.also:
        yield f"     also {', '.join(f'{other.source}:{other.uri}' for other in hit.also[:_NAMED])}{_more(hit)}"
    text = " ".join(hit.text.split())
    yield textwrap.indent(textwrap.fill(textwrap.shorten(text, 400, placeholder=" ..."), 96), "     ")


def _more(hit: Hit) -> str:
    return f" and {len(hit.also) - _NAMED} more" if len(hit.also) > _NAMED else ""


def log(found: Sequence[Snapshot]) -> Iterator[str]:
    for snapshot in found:
        yield _snapshot(snapshot)
    if not found:
        yield "nothing is published yet"


def _snapshot(snapshot: Snapshot) -> str:
    documents, chunks = snapshot.documents, snapshot.chunks
    revision = f"@{snapshot.source_revision[:10]}" if snapshot.source_revision else ""
    # The time in front is that of publication, by which a version is asked for; the source's own stands beside it.
    stood = f" of {moment(snapshot.source_time)}" if snapshot.source_time else ""
    source = f"{snapshot.source or '-'}{revision}{stood}"
    counts = f"documents +{documents.added} ~{documents.changed} -{documents.removed} ={documents.total}"
    work = f"chunks +{chunks.added} -{chunks.removed} ={chunks.total}, {chunks.embedded} embedded"
    parts = (f"{snapshot.version:>5}", moment(snapshot.committed_at), source, counts, work, snapshot.message or "")
    return "  ".join(parts).rstrip()


def show(found: Shown) -> Iterator[str]:
    snapshot = found.snapshot
    yield _snapshot(snapshot)
    yield f"published    {moment(snapshot.committed_at)} UTC"
    yield f"tags         {', '.join(found.tags) or '-'}"
    yield f"digest       {snapshot.digest}"
    yield f"content      {snapshot.content_digest}"
    yield f"fingerprint  {snapshot.fingerprint}"
    yield from (f"  {part:<14} {value}" for part, value in found.pipeline.items())
    if found.compared_with is None:
        yield "what it changed is not known any more: every version before it has expired"
    elif found.compared_with < snapshot.version - 1:
        yield f"since version {found.compared_with}, the nearest kept before it:"
    yield from map(_document_change, found.documents)


def _document_change(change: DocumentChange) -> str:
    return f"{_MARKS[change.change]} {change.source}:{change.uri}"


def diff(found: Diff) -> Iterator[str]:
    yield f"from version {found.before} to version {found.after}"
    for change in found.documents:
        yield _document_change(change)
        if change.text:
            yield textwrap.indent(change.text, "    ")
    for chunk in found.chunks:
        yield from _chunk_change(chunk)
    for result in found.results:
        ranks = f"{result.before or '-'} -> {result.after or '-'}"
        yield f"{ranks:>10}  {result.source}:{result.uri}  {result.chunk_id}  ({result.query})"
    if not (found.documents or found.chunks or found.results):
        yield "no difference"


def _chunk_change(chunk: ChunkChange) -> Iterator[str]:
    section = f"  ({' > '.join(chunk.section)})" if chunk.section else ""
    yield f"{_MARKS[chunk.change]} {chunk.chunk_id}  {chunk.source}:{chunk.uri}{section}"
    yield textwrap.indent(textwrap.shorten(chunk.text, 200, placeholder=" ..."), "    ")


def history(versions: Sequence[DocumentVersion]) -> Iterator[str]:
    yield f"{versions[0].source}:{versions[0].uri}  {versions[0].document_id}"
    for version in versions:
        until = "now" if version.until == FOREVER else str(version.until)
        revision = version.source_revision[:10] if version.source_revision else "-"
        span = f"{version.since}..{until}"
        facts = (f"{span:>12}", moment(version.modified_at), revision, version.content_sha256[:12], version.title or "")
        yield "  ".join(facts).rstrip()


def status(found: Status) -> Iterator[str]:
    yield f"{found.home}  model {found.model}"
    holds = f"{counted(found.documents, 'document')}, {counted(found.chunks, 'chunk')}"
    yield f"head {found.head} ({moment(found.committed_at)} UTC), {holds}"
    yield f"catalog {size(found.catalog_bytes)}, store {size(found.store_bytes)}"
    yield f"daemon at {found.daemon}" if found.daemon else "no daemon runs: `kb up` follows the sources"
    for one in found.sources:
        revision = f" at {one.source_revision[:10]}" if one.source_revision else ""
        yield ""
        yield f"{one.source.name} ({one.source.kind}){revision}: {counted(one.documents, 'document')}"
        yield f"  last sync {moment(one.last_run)}, last publish {moment(one.last_published)}"
        if one.quarantine:
            yield f"  quarantine: {', '.join(f'{count} {reason}' for reason, count in one.quarantine.items())}"
        if one.skipped:
            yield f"  skipped: {', '.join(f'{count} {kind}' for kind, count in one.skipped.items())}"
        yield from _standing(one, found.daemon is not None)


def _standing(one: SourceStatus, followed: bool) -> Iterator[str]:
    """How the source stands with whoever follows it."""
    if one.lag_s is not None:
        target = f", to be within {one.source.fresh_within}" if one.source.fresh_within else ""
        yield f"  known as of {duration.written(one.lag_s)} ago{target}{': STALE' if one.stale else ''}"
    if one.running_since:
        yield f"  running since {moment(one.running_since)}"
    if one.next_run and followed:
        yield f"  next run {moment(one.next_run)}"
    if one.circuit == "open":
        yield f"  circuit open after {counted(one.failures, 'failure')}: mend it, then run `kb sync {one.source.name}`"
    if one.last_error:
        yield f"  {'held back' if one.guarded else 'failing'}: {one.last_error}"


def quarantine(found: "Sequence[Quarantined]") -> Iterator[str]:
    for document in found:
        since = moment(document.first_seen)
        yield f"{document.source}:{document.uri}  {document.reason}: {document.detail} (since {since})"
    if not found:
        yield "quarantine is empty"


def verification(found: Verification) -> Iterator[str]:
    checked = [
        counted(found.snapshots, "snapshot"),
        counted(found.documents, "document version"),
        counted(found.chunks, "chunk"),
    ]
    if found.sources or found.quarantined:
        checked.append(f"{counted(found.sources, 'document')} at their sources")
    if found.expired:
        checked[0] += f" ({found.expired} expired: their records)"
    yield f"version {found.version}: checked {', '.join(checked)}"
    if found.quarantined:
        yield f"{counted(found.quarantined, 'document')} not compared: a newer state is in quarantine"
    yield from (f"{finding.what}: {finding.subject}: {finding.detail}" for finding in found.findings)
    yield "everything holds" if not found.findings else counted(len(found.findings), "finding")


def size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
