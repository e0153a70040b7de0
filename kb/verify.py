"""Proof: everything that was published is derived again from what is stored, and whatever differs is named."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kb.analysis import ANALYSER, analyse
from kb.answers import Finding, Verification
from kb.catalog import Connection, documents, snapshots, terms
from kb.digest import SetDigest, document_member, sha256_text
from kb.facets import Facets, lives
from kb.layout import Layout, layout_key
from kb.nouns import FOREVER, DocumentVersion, Snapshot
from kb.pipeline import Pipeline
from kb.store import Store
from kb.store.rows import members

Span = tuple[str, int, int, Facets]
"""What tells a chunk row from others: chunk id, `since`, `until`, facets."""


@dataclass(slots=True)
class _Rows:
    """What one pass over the stored rows tells: each version's part of the digests and statistics."""

    spans: dict[str, set[Span]] = field(default_factory=lambda: defaultdict(set))
    digests: dict[int, SetDigest] = field(default_factory=lambda: defaultdict(SetDigest))
    """By version: what its births and deaths add to the rows digest."""
    frequencies: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    tokens: Counter[int] = field(default_factory=Counter)
    count: int = 0


def verify(connection: Connection, store: Store, version: int) -> Verification:
    """Checks every snapshot up to the version: chain, documents, texts, spans, rows, vectors and statistics."""
    history = [snapshot for snapshot in reversed(snapshots.newest(connection, None)) if snapshot.version <= version]
    lives = [value for value in documents.every(connection) if value.since <= version]
    pipelines = _pipelines(connection, history)
    layouts = store.texts.get(value.layout for value in lives)
    findings: list[Finding] = []
    rows = _Rows()
    for space in sorted({pipeline.space for pipeline in pipelines.values()}):
        findings += _scan(store, space, pipelines, version, rows)
    findings += _check_chain(history)
    findings += _check_pipelines(history, pipelines)
    findings += _check_documents(history, lives)
    findings += _check_layouts(lives, layouts)
    findings += _check_spans(lives, layouts, pipelines, rows, version)
    findings += _check_rows(connection, history, rows)
    return Verification(version, len(history), len(lives), rows.count, 0, 0, tuple(findings))


def _pipelines(connection: Connection, history: Iterable[Snapshot]) -> dict[str, Pipeline]:
    found = {}
    for fingerprint in {snapshot.fingerprint for snapshot in history}:
        parts = snapshots.pipeline_parts(connection, fingerprint)
        if parts is not None:
            found[fingerprint] = Pipeline.of(parts)
    return found


def _scan(store: Store, space: str, pipelines: Mapping[str, Pipeline], version: int, rows: _Rows) -> Iterator[Finding]:
    """Reads each row of a space once."""
    pipeline = next(pipeline for pipeline in pipelines.values() if pipeline.space == space)
    if not store.holds(space):
        yield Finding("missing rows", f"space {space}", "its table is not in the store")
        return
    table = store.chunks(space, pipeline.dimensions)
    for batch in table.scan(f"since <= {version}", table.columns):
        for row, member in zip(batch.to_pylist(), members(batch), strict=True):
            _add(rows, row, member, version)
            yield from _check_row(row, pipeline)


def _add(rows: _Rows, row: Mapping[str, Any], member: bytes, version: int) -> None:
    until = row["until"] if row["until"] <= version else FOREVER
    words = row["tokens"].split()
    rows.count += 1
    rows.spans[row["document_id"]].add((row["chunk_id"], row["since"], until, tuple(row["facets"])))
    rows.digests[row["since"]].add([member])
    rows.frequencies[row["since"]].update(set(words))
    rows.tokens[row["since"]] += len(words)
    if until != FOREVER:
        rows.digests[until].remove([member])
        rows.frequencies[until].subtract(set(words))
        rows.tokens[until] -= len(words)


def _check_row(row: Mapping[str, Any], pipeline: Pipeline) -> Iterator[Finding]:
    subject = f"chunk {row['chunk_id']} of {row['source']}:{row['uri']}"
    if sha256_text(row["text"]) != row["text_sha256"]:
        yield Finding("changed text", subject, "the row's text is not the one that its digest names")
    elif pipeline.analyser == ANALYSER and " ".join(analyse(row["text"])) != row["tokens"]:
        yield Finding("changed tokens", subject, "the row's tokens do not follow from its text")


def _check_chain(history: Sequence[Snapshot]) -> Iterator[Finding]:
    """Each snapshot's digest is that of what it states and of its parent's digest."""
    parent = ""
    for snapshot in history:
        if snapshots.chained_digest(snapshot, parent) != snapshot.digest:
            detail = "its record, or its parent's digest, is not what it was when it was published"
            yield Finding("edited snapshot", f"version {snapshot.version}", detail)
        parent = snapshot.digest
    numbers = [snapshot.version for snapshot in history]
    for number in sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers)):
        yield Finding("missing snapshot", f"version {number}", "there is no record of it")


def _check_pipelines(history: Sequence[Snapshot], pipelines: Mapping[str, Pipeline]) -> Iterator[Finding]:
    """Each pipeline is recorded, and is the one that its fingerprint names."""
    for fingerprint in sorted({snapshot.fingerprint for snapshot in history}):
        subject = f"pipeline {fingerprint}"
        if fingerprint not in pipelines:
            yield Finding("missing pipeline", subject, "its parts are not in the catalog")
        elif pipelines[fingerprint].fingerprint != fingerprint:
            yield Finding("changed pipeline", subject, "its parts are not those that its fingerprint names")


def _check_documents(history: Sequence[Snapshot], lives: Sequence[DocumentVersion]) -> Iterator[Finding]:
    """Each snapshot's digests are those of the document versions that it opened and closed."""
    opened: dict[int, list[DocumentVersion]] = defaultdict(list)
    closed: dict[int, list[DocumentVersion]] = defaultdict(list)
    for value in lives:
        opened[value.since].append(value)
        closed[value.until].append(value)
    content, total = SetDigest(), 0
    for snapshot in history:
        new, old = opened[snapshot.version], closed[snapshot.version]
        content.add(map(document_member, new))
        content.remove(map(document_member, old))
        total += len(new) - len(old)
        changes = documents.changes_digest(new, old)
        if (content.hexdigest(), changes, total) != (
            snapshot.content_digest,
            snapshot.changes_digest,
            snapshot.documents.total,
        ):
            detail = "the catalog's documents are not those that it published"
            yield Finding("changed documents", f"version {snapshot.version}", detail)


def _check_layouts(lives: Iterable[DocumentVersion], layouts: Mapping[str, Layout]) -> Iterator[Finding]:
    """Each text is the one that its digest names, and each passage lies where its digest says."""
    checked: set[str] = set()
    for value in lives:
        if value.layout in checked:
            continue
        checked.add(value.layout)
        layout = layouts.get(value.layout)
        subject = f"{value.source}:{value.uri} at version {value.since}"
        if layout is None:
            yield Finding("missing text", subject, f"layout {value.layout} is not in the store")
        elif not _holds(layout, value):
            yield Finding("changed text", subject, "its text or its spans are not those that its digest names")


def _holds(layout: Layout, value: DocumentVersion) -> bool:
    text_sha256 = sha256_text(layout.text)
    cuts = tuple(sha256_text(layout.text[passage.start : passage.end]) for passage in layout.passages)
    return text_sha256 == value.text_sha256 and layout_key(text_sha256, layout.passages, cuts) == value.layout


def _check_spans(
    lives: Iterable[DocumentVersion],
    layouts: Mapping[str, Layout],
    pipelines: Mapping[str, Pipeline],
    rows: _Rows,
    version: int,
) -> Iterator[Finding]:
    """The stored rows are exactly those that follow from the documents' versions."""
    by_document: dict[str, list[DocumentVersion]] = defaultdict(list)
    for value in lives:
        by_document[value.document_id].append(value)
    for document, versions in by_document.items():
        expected = _expected(versions, layouts, pipelines, version)
        found = rows.spans.get(document, set())
        subject = f"{versions[0].source}:{versions[0].uri}"
        for chunk, since, until, _ in sorted(expected - found):
            yield Finding("missing row", f"chunk {chunk} of {subject}", f"it should live {_life(since, until)}")
        for chunk, since, until, _ in sorted(found - expected):
            yield Finding("strange row", f"chunk {chunk} of {subject}", f"it should not live {_life(since, until)}")
    for document in rows.spans.keys() - by_document.keys():
        yield Finding("strange row", f"document {document}", "the catalog knows no such document")


def _expected(
    versions: Iterable[DocumentVersion],
    layouts: Mapping[str, Layout],
    pipelines: Mapping[str, Pipeline],
    version: int,
) -> set[Span]:
    """The rows of one document.

    A chunk lives on while consecutive versions hold it, with the same facets, in one embedding space.
    """
    done: set[Span] = set()
    living: dict[tuple[str, str, Facets], tuple[int, int]] = {}
    for value in versions:
        if value.layout not in layouts or value.fingerprint not in pipelines:
            continue
        space = pipelines[value.fingerprint].space
        held = {(space, *life) for life in lives(value, layouts[value.layout])}
        going_on = {key: span for key, span in living.items() if key in held and span[1] == value.since}
        done |= {(key[1], *span, key[2]) for key, span in living.items() if key not in going_on}
        until = value.until if value.until <= version else FOREVER
        living = {key: (going_on[key][0] if key in going_on else value.since, until) for key in held}
    return done | {(key[1], *span, key[2]) for key, span in living.items()}


def _check_rows(connection: Connection, history: Sequence[Snapshot], rows: _Rows) -> Iterator[Finding]:
    """Each snapshot's rows digest, counts and statistics are those of the rows that live at it."""
    digest, tokens = SetDigest(), 0
    for snapshot in history:
        at = snapshot.version
        digest.merge(rows.digests[at])
        tokens += rows.tokens[at]
        if digest.hexdigest() != snapshot.rows_digest:
            yield Finding("changed rows", f"version {at}", "its rows or vectors are not those that were published")
        frequencies = {term: count for term, count in rows.frequencies[at].items() if count}
        if frequencies != terms.deltas_at(connection, at) or tokens != snapshots.tokens_total(connection, at):
            yield Finding("changed statistics", f"version {at}", "the term statistics do not follow from its rows")


def _life(since: int, until: int) -> str:
    return f"from version {since} on" if until == FOREVER else f"from version {since} until {until}"
