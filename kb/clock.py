"""Instants: always UTC, written in one form that sorts as text."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def format_instant(moment: datetime) -> str:
    """`2024-05-01T09:30:00.000000Z`."""
    # Not by strftime, which writes the year 999 with three digits.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """RFC 3339; a time without a zone is UTC. Raises ValueError."""
    # In RFC 3339 `t` and `z` may be small.
    moment = datetime.fromisoformat(text.upper())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
