"""Proof: everything that was published is derived again from what is stored, and whatever differs is named."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kb.analysis import ANALYSER, analyse
from kb.answers import Finding, Verification
from kb.catalog import Connection, documents, scan, snapshots, terms
from kb.digest import SetDigest, document_member, sha256_text
from kb.facets import Facets, lives
from kb.kept import first_kept, needed
from kb.layout import Layout, layout_key
from kb.nouns import FOREVER, DocumentVersion, Snapshot
from kb.pipeline import Pipeline
from kb.store import Store
from kb.store.rows import members

Span = tuple[str, str, Facets, int, int]
"""A chunk's life: embedding space, chunk id, facets, `since`, `until`; both as the first kept versions from them on."""


@dataclass(slots=True)
class _Rows:
    """What one pass over the stored rows tells: each kept version's part of the digests and statistics.

    What began or ended at an expired version counts at the next kept one. A row that no kept version needs would begin
    and end at the same, so it makes no difference whether retention has removed it yet.
    """

    kept: Sequence[int]
    spans: dict[str, set[Span]] = field(default_factory=lambda: defaultdict(set))
    digests: dict[int, SetDigest] = field(default_factory=lambda: defaultdict(SetDigest))
    """By version: what its births and deaths add to the rows digest."""
    frequencies: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    tokens: Counter[int] = field(default_factory=Counter)
    count: int = 0


def verify(connection: Connection, store: Store, version: int) -> Verification:
    """Checks all kept snapshots up to a kept version: chain, documents, texts, spans, rows, vectors and statistics.

    Of an expired one it checks the record, and that nothing of what went with it is missed by one that is kept.
    """
    history = snapshots.records(connection, version)
    kept = [number for number in snapshots.kept(connection) if number <= version]
    pipelines = _pipelines(connection, history)
    lives = [value for value in documents.every(connection) if value.since <= version]
    needed_lives = [value for value in lives if needed(kept, value.since, value.until)]
    layouts = store.texts.get(value.layout for value in needed_lives)
    findings: list[Finding] = []
    rows = _Rows(kept)
    living = {snapshot.fingerprint for snapshot in history if snapshot.version in set(kept)}
    for space in sorted({pipelines[fingerprint].space for fingerprint in living & pipelines.keys()}):
        findings += _scan(store, space, pipelines, version, rows)
    findings += _check_chain(history)
    findings += _check_pipelines(history, pipelines)
    findings += _check_documents(history, kept, lives)
    findings += _check_layouts(needed_lives, layouts)
    findings += _check_spans(needed_lives, layouts, pipelines, rows)
    findings += _check_rows(connection, history, rows)
    findings += _check_originals(store)
    expired = len(history) - len(kept)
    return Verification(version, len(history), expired, len(needed_lives), rows.count, 0, 0, tuple(findings))


def _check_originals(store: Store) -> Iterator[Finding]:
    """What is kept of documents' own bytes is what its digest says."""
    if originals := store.find_originals():
        for key in originals.changed():
            yield Finding("changed original", f"content {key}", "the bytes are not the ones that their digest names")


def comparable(connection: Connection, version: int) -> tuple[list[DocumentVersion], int]:
    """The version's documents that should be as their sources have them, and how many others there are."""
    living = list(documents.at(connection, version))
    # Of a quarantined document it is known that its source holds something else.
    confined = {(one.source, one.uri) for one in scan.quarantined(connection)}
    compared = [value for value in living if (value.source, value.uri) not in confined]
    return compared, len(living) - len(compared)


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
            if needed(rows.kept, row["since"], row["until"]):
                _add(rows, space, row, member)
                yield from _check_row(row, pipeline)


def _add(rows: _Rows, space: str, row: Mapping[str, Any], member: bytes) -> None:
    since, until = first_kept(rows.kept, row["since"]), first_kept(rows.kept, row["until"])
    words = row["tokens"].split()
    rows.count += 1
    life = (space, row["chunk_id"], tuple(row["facets"]), since, until)
    rows.spans[row["document_id"]].add(life)
    rows.digests[since].add([member])
    rows.frequencies[since].update(set(words))
    rows.tokens[since] += len(words)
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


def _check_documents(
    history: Sequence[Snapshot], kept: Sequence[int], lives: Sequence[DocumentVersion]
) -> Iterator[Finding]:
    """Each snapshot's digests are those of the document versions that it opened and closed.

    An expired one's content is not there to be compared; what it changed is, unless retention dropped part of that.
    """
    opened: dict[int, list[DocumentVersion]] = defaultdict(list)
    closed: dict[int, list[DocumentVersion]] = defaultdict(list)
    for value in lives:
        opened[value.since].append(value)
        closed[value.until].append(value)
    content, total, answering = SetDigest(), 0, {0, *kept}
    for snapshot in history:
        at, stated = snapshot.version, snapshot.documents
        new, old = opened[at], closed[at]
        content.add(map(document_member, new))
        content.remove(map(document_member, old))
        total += len(new) - len(old)
        whole = (len(new), len(old)) == (stated.added + stated.changed, stated.changed + stated.removed)
        changed = documents.changes_digest(new, old) != snapshot.changes_digest
        lost = (content.hexdigest(), total) != (snapshot.content_digest, stated.total)
        if (at in answering and lost) or (changed and (whole or {at - 1, at} <= answering)):
            detail = "the catalog's documents are not those that it published"
            yield Finding("changed documents", f"version {at}", detail)


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
) -> Iterator[Finding]:
    """The stored rows are exactly those that follow from the documents' versions."""
    by_document: dict[str, list[DocumentVersion]] = defaultdict(list)
    for value in lives:
        by_document[value.document_id].append(value)
    for document, versions in by_document.items():
        expected = _joined(_expected(versions, layouts, pipelines, rows.kept))
        found = _joined(rows.spans.get(document, ()))
        subject = f"{versions[0].source}:{versions[0].uri}"
        for _, chunk, _, since, until in sorted(expected - found):
            yield Finding("missing row", f"chunk {chunk} of {subject}", f"it should live {_life(since, until)}")
        for _, chunk, _, since, until in sorted(found - expected):
            yield Finding("strange row", f"chunk {chunk} of {subject}", f"it should not live {_life(since, until)}")
    for document in rows.spans.keys() - by_document.keys():
        yield Finding("strange row", f"document {document}", "the catalog knows no such document")


def _expected(
    versions: Iterable[DocumentVersion],
    layouts: Mapping[str, Layout],
    pipelines: Mapping[str, Pipeline],
    kept: Sequence[int],
) -> Iterator[Span]:
    """The chunks of each of one document's versions, in the embedding space of its pipeline."""
    for value in versions:
        if value.layout in layouts and value.fingerprint in pipelines:
            span = first_kept(kept, value.since), first_kept(kept, value.until)
            for life in set(lives(value, layouts[value.layout])):
                yield pipelines[value.fingerprint].space, life.chunk_id, life.facets, *span


def _joined(spans: Iterable[Span]) -> set[Span]:
    """A chunk that lives on, with the same facets, through consecutive document versions is one row.

    So are, here, two rows with nothing but expired versions between them: what was then need not be known any more.
    """
    found: list[Span] = []
    for space, chunk, facets, since, until in sorted(spans):
        if found and (*found[-1][:3], found[-1][4]) == (space, chunk, facets, since):
            found[-1] = (space, chunk, facets, found[-1][3], until)
        else:
            found.append((space, chunk, facets, since, until))
    return set(found)


def _check_rows(connection: Connection, history: Sequence[Snapshot], rows: _Rows) -> Iterator[Finding]:
    """Each kept snapshot's rows digest, counts and statistics are those of the rows that live at it."""
    stated = {snapshot.version: snapshot.rows_digest for snapshot in history}
    digest, tokens = SetDigest(), 0
    for before, at in pairwise((0, *rows.kept)):
        digest.merge(rows.digests[at])
        tokens += rows.tokens[at]
        if digest.hexdigest() != stated[at]:
            yield Finding("changed rows", f"version {at}", "its rows or vectors are not those that were published")
        frequencies = {term: count for term, count in rows.frequencies[at].items() if count}
        deltas = terms.deltas_between(connection, before, at)
        if frequencies != deltas or tokens != snapshots.tokens_total(connection, at):
            yield Finding("changed statistics", f"version {at}", "the term statistics do not follow from its rows")


def _life(since: int, until: int) -> str:
    return f"from version {since} on" if until == FOREVER else f"from version {since} until {until}"
