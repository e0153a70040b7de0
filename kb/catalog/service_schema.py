"""The catalog's tables of the service: callers' keys, their requests, and what they said of the answers."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text

from kb.catalog.schema import Instant, metadata

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("groups", JSON(none_as_null=True)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    comment="Callers' keys: of the secret itself its SHA-256 alone.",
)

request = Table(
    "request",
    metadata,
    Column("request_id", String(32), primary_key=True),
    Column("asked_at", Instant, nullable=False),
    Column("caller", Text, nullable=False),
    Column("groups", JSON(none_as_null=True)),
    Column("query", Text),
    Column("reference", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("took_ms", Float, nullable=False),
    Column("timings", JSON, nullable=False),
    Column("hits", JSON, nullable=False),
    comment="Every search. `query` is null where texts are not kept.",
)
Index("request_asked_at", request.c.asked_at)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", String(32), nullable=False),
    Column("caller", Text, nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("useful", Boolean, nullable=False),
    Column("passage", Text),
    Column("comment", Text),
    comment="What callers said of answers.",
)
Index("feedback_request", feedback.c.request_id)
