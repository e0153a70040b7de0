"""The catalog's tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

from kb.clock import format_instant, parse_instant

REVISION = "0006"
"""The newest Alembic revision, so that opening a catalog need not import Alembic."""

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, kept as text that sorts by time."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else format_instant(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else parse_instant(value)


setting = Table(
    "setting",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

source = Table(
    "source",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("options", JSON, nullable=False),
    Column("owner", Text),
    Column("every", String(32)),
    Column("cron", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("checkpoint", Text),
    Column("fingerprint", String(64)),
    Column("access", JSON(none_as_null=True)),
    Column("fresh_within", String(32)),
    Column("delete_guard", Float),
    Column("keep_original", Boolean, nullable=False, server_default=false()),
    comment="`checkpoint` and `fingerprint`: up to where, and by which pipeline, the source was last read.",
)

entry = Table(
    "entry",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("uri", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("content_sha256", String(64)),
    Column("outcome", String(16), nullable=False),
    comment="What the last poll saw of each document: indexed, quarantined or skipped.",
    sqlite_with_rowid=False,
)

document = Table(
    "document",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("since", Integer, primary_key=True),
    Column("until", Integer, nullable=False),
    Column("source", String(200), nullable=False),
    Column("uri", Text, nullable=False),
    Column("title", Text),
    Column("media_type", String(200), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("text_sha256", String(64), nullable=False),
    Column("layout", String(64), nullable=False),
    Column("source_revision", Text),
    Column("modified_at", Instant),
    Column("fingerprint", String(64), nullable=False),
    Column("metadata", JSON, nullable=False),
    comment="Each document's versions, with their life spans.",
)
Index("document_since", document.c.since)
Index("document_until", document.c.until)

snapshot = Table(
    "snapshot",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer),
    Column("committed_at", Instant, nullable=False),
    Column("source", String(200)),
    Column("source_revision", Text),
    Column("source_time", Instant),
    Column("message", Text),
    Column("fingerprint", String(64), nullable=False),
    Column("documents_added", Integer, nullable=False),
    Column("documents_changed", Integer, nullable=False),
    Column("documents_removed", Integer, nullable=False),
    Column("documents_total", Integer, nullable=False),
    Column("chunks_added", Integer, nullable=False),
    Column("chunks_removed", Integer, nullable=False),
    Column("chunks_embedded", Integer, nullable=False),
    Column("chunks_reused", Integer, nullable=False),
    Column("chunks_total", Integer, nullable=False),
    Column("tokens_total", Integer, nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("rows_digest", String(64), nullable=False),
    Column("changes_digest", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("expired_at", Instant),
    comment="The record of an expired version stays: the chain of digests runs through it.",
)
Index("snapshot_kept", snapshot.c.expired_at, snapshot.c.version)
Index("snapshot_committed_at", snapshot.c.committed_at)
Index("snapshot_source", snapshot.c.source, snapshot.c.source_time)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("rows", LargeBinary, nullable=False),
    comment="One row: the head's set digests as they stand, to be carried on by the next commit.",
)

intent = Table(
    "intent",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    comment="A commit under way: while a row stands here the store may hold what was not published.",
)

tag = Table(
    "tag",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)

revision = Table(
    "revision",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("revision", String(200), primary_key=True),
    Column("time", Instant),
    Column("version", Integer, nullable=False),
    comment="Which version holds a source's state at a revision of its own.",
)
Index("revision_time", revision.c.source, revision.c.time)

pipeline = Table(
    "pipeline",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("parts", JSON, nullable=False),
)

term = Table(
    "term",
    metadata,
    Column("term", String(200), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("delta", Integer, nullable=False),
    comment="By how much a version changed the number of live chunks that hold a term.",
    sqlite_with_rowid=False,
)

recent_term = Table(
    "recent_term",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("term", String(200), primary_key=True),
    Column("delta", Integer, nullable=False),
    comment="The same of the newest versions, in the order of their publishing: upkeep moves them to `term`.",
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("error", Text),
    Column("published", Integer, nullable=False),
    Column("skipped", JSON, nullable=False),
    Column("embedded", Integer, nullable=False),
    Column("embed_seconds", Float, nullable=False),
)
Index("run_source", run.c.source, run.c.id)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("uri", Text, primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("content_sha256", String(64)),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
)

standing = Table(
    "standing",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("opened_at", Instant),
    Column("retry_at", Instant),
    Column("next_at", Instant),
    Column("running_since", Instant),
    Column("changed_at", Instant),
    Column("guarded", Boolean, nullable=False),
    comment="How each source stands with the daemon that follows it.",
)

facet = Table(
    "facet",
    metadata,
    Column("facet_id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    comment="Facets that were ever indexed, by the digest of name and value; of metadata the name alone.",
)
Index("facet_name", facet.c.name)

document_access = Table(
    "document_access",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("own", JSON(none_as_null=True)),
    Column("groups", JSON, nullable=False),
    Column("applied", Boolean, nullable=False),
    comment="Who may see a document, in all its versions: what its source says of it (`own`), and what holds.",
)

pending_vector = Table(
    "pending_vector",
    metadata,
    Column("space", String(64), primary_key=True),
    Column("text_sha256", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    comment="Embeddings made for a snapshot that is not published yet, kept so that none is made twice.",
)
