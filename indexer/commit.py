"""Committing a snapshot: data first, pointer last, and everything needed is at hand before the first write."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from indexer.beside import beside
from indexer.delta import Delta
from indexer.embed import Embedded
from indexer.intake import Intake
from indexer.originals import Originals
from indexer.turnover import Rows, Turnover
from kb.access import EVERYONE, Groups
from kb.catalog import Catalog, Connection, access, documents, facets, pending, snapshots, terms
from kb.catalog.access import Permission
from kb.digest import SetDigest, document_member
from kb.layout import Layout
from kb.nouns import FOREVER, ChunkCounts, DocumentCounts, DocumentVersion, Snapshot
from kb.pipeline import Pipeline
from kb.store import ChunkRow, Store
from kb.store.chunks import ChunkTable
from kb.store.rows import ROW_ID, living, members


@dataclass(frozen=True, slots=True)
class Tables:
    """Where rows are born, and where rows end: two tables only where the embedding space changes."""

    born: ChunkTable
    ended: ChunkTable


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and for what a snapshot is made."""

    committed_at: datetime
    source: str | None
    source_revision: str | None
    source_time: datetime | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """A snapshot ready to be written: every row of it, in the store and in the catalog."""

    snapshot: Snapshot
    tokens: int
    opened: tuple[DocumentVersion, ...]
    closed: tuple[DocumentVersion, ...]
    layouts: tuple[Layout, ...]
    born: Rows
    ended: Rows
    """Their chunks' ids, and where they stood when they were read."""
    frequencies: Mapping[str, int]
    content: SetDigest
    rows: SetDigest
    pipeline: Pipeline
    texts: frozenset[str]
    facets: frozenset[str]


def build(
    connection: Connection,
    tables: Tables,
    pipeline: Pipeline,
    occasion: Occasion,
    intake: Intake,
    delta: Delta,
    embedded: Embedded,
    turnover: Turnover,
) -> Commit:
    """The next snapshot, worked out but not written."""
    version = snapshots.head(connection) + 1
    parent = snapshots.get(connection, version - 1)
    closed = intake.closed
    opened = tuple(replace(value, since=version, until=FOREVER) for value in intake.opened)
    permissions = access.recorded(connection, {birth.document.document_id for birth in delta.born})
    content, rows = snapshots.read_ledger(connection)
    dying = turnover.dying
    born = living(_rows(delta, embedded, turnover, permissions), version, tables.born.dimensions)
    # In another space every chunk is a new one.
    renewed = len(delta.renewed) if tables.born is tables.ended else 0
    content.remove(map(document_member, closed))
    content.add(map(document_member, opened))
    rows.merge(turnover.gone)
    rows.add(members(born))
    snapshot = Snapshot(
        version=version,
        parent=parent.version if parent else None,
        # The clock may have stepped back; time in the line of snapshots never does.
        committed_at=max(occasion.committed_at, parent.committed_at) if parent else occasion.committed_at,
        source=occasion.source,
        source_revision=occasion.source_revision,
        source_time=occasion.source_time,
        message=occasion.message,
        fingerprint=pipeline.fingerprint,
        documents=_document_counts(opened, closed, parent),
        chunks=_chunk_counts(len(born), len(dying), renewed, embedded.made, parent),
        content_digest=content.hexdigest(),
        rows_digest=rows.hexdigest(),
        changes_digest=documents.changes_digest(opened, closed),
        digest="",
    )
    return Commit(
        snapshot=replace(snapshot, digest=snapshots.chained_digest(snapshot, parent.digest if parent else "")),
        tokens=snapshots.tokens_total(connection, version - 1) + turnover.growth,
        opened=opened,
        closed=closed,
        layouts=_needed_layouts(opened, intake.layouts),
        born=born,
        ended=dying.select(["chunk_id", ROW_ID]),
        frequencies=turnover.frequencies,
        content=content,
        rows=rows,
        pipeline=pipeline,
        texts=frozenset(birth.chunk.text_sha256 for birth in delta.born),
        facets=frozenset(facet for birth in delta.born for facet in birth.facets),
    )


def write(
    catalog: Catalog,
    store: Store,
    tables: Tables,
    commit: Commit,
    tell: Callable[[str], None],
    originals: Originals | None = None,
) -> None:
    """The store's half, invisible until it is published; each step is told before it is taken.

    Texts and rows are written side by side: neither is of use without the snapshot that names them.

    An intent stands before it, by which a commit that does not come to its end is found and taken back.
    """
    tell("intent")
    with catalog.writing() as connection:
        pending.intend(connection, commit.snapshot.version)
    if originals:
        tell("originals")
        needed = {document.content_sha256 for document in commit.opened}
        store.originals.write(originals.batches(needed), commit.snapshot.version)
    tell("texts")
    with beside(lambda: store.texts.write(commit.layouts, commit.snapshot.version)) as texts:
        tell("rows")
        tables.born.write(commit.born)
        tell("ended rows")
        tables.ended.end(commit.ended, commit.snapshot.version)
        texts.result()


def publish(connection: Connection, commit: Commit) -> None:
    """The catalog's half, within the transaction that makes the snapshot visible."""
    snapshots.add_pipeline(connection, commit.snapshot.fingerprint, commit.pipeline.parts())
    documents.close_versions(connection, commit.closed, commit.snapshot.version)
    documents.open_versions(connection, commit.opened)
    terms.add_deltas(connection, commit.snapshot.version, commit.frequencies)
    facets.add(connection, commit.facets)
    snapshots.write_ledger(connection, commit.content, commit.rows)
    snapshots.add(connection, commit.snapshot, commit.tokens)
    pending.drop_vectors(connection, commit.pipeline.space, commit.texts)
    pending.settle(connection)


def _rows(
    delta: Delta, embedded: Embedded, turnover: Turnover, permissions: Mapping[str, Permission]
) -> list[ChunkRow]:
    return [
        ChunkRow(
            chunk_id=birth.chunk.chunk_id,
            document_id=birth.document.document_id,
            source=birth.document.source,
            uri=birth.document.uri,
            text_sha256=birth.chunk.text_sha256,
            text=birth.chunk.text,
            tokens=turnover.tokens[birth.chunk.text_sha256],
            facets=birth.facets,
            access=_groups(permissions, birth.document.document_id),
            vector=embedded.vectors[birth.chunk.text_sha256],
        )
        for birth in delta.born
    ]


def _groups(permissions: Mapping[str, Permission], document: str) -> Groups:
    """Rows are born with the access list that their document has already."""
    return permissions[document].groups if document in permissions else EVERYONE


def _needed_layouts(opened: Iterable[DocumentVersion], layouts: Mapping[str, Layout]) -> tuple[Layout, ...]:
    return tuple(layouts[key] for key in sorted({value.layout for value in opened} & layouts.keys()))


def _document_counts(
    opened: Sequence[DocumentVersion], closed: Sequence[DocumentVersion], parent: Snapshot | None
) -> DocumentCounts:
    new = {value.document_id for value in opened}
    old = {value.document_id for value in closed}
    total = (parent.documents.total if parent else 0) + len(new) - len(old)
    return DocumentCounts(len(new - old), len(new & old), len(old - new), total)


def _chunk_counts(born: int, dying: int, renewed: int, made: int, parent: Snapshot | None) -> ChunkCounts:
    """A chunk that goes on with other facets is neither added nor removed."""
    total = (parent.chunks.total if parent else 0) + born - dying
    added = born - renewed
    return ChunkCounts(added=added, removed=dying - renewed, embedded=made, reused=added - made, total=total)
