"""Instants: always UTC, written in one form that sorts as text."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def format_instant(moment: datetime) -> str:
    """`2024-05-01T09:30:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """RFC 3339; a time without a zone is UTC. Raises ValueError."""
    # In RFC 3339 `t` and `z` may be small.
    moment = datetime.fromisoformat(text.upper())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
