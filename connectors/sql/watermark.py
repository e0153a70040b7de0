"""Whether a row's watermark can stand for the row: two edits within one tick of its clock look the same by it.

So a watermark is trusted once its time has passed for sure; until then, and where it is no watermark at all, the row's
own digest is its stamp.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from connectors.sql.values import plain, rendered

SETTLED = timedelta(minutes=5)
"""For times with their zone: a tick of a minute, and clocks of applications that are minutes slow."""

SETTLED_SOMEWHERE = timedelta(days=2)
"""For dates, for times of an unknown zone, and for numbers that may count time."""

_TICKS_PER_SECOND = (1, 10**3, 10**6, 10**9)


def mark(watermark: object) -> str | None:
    """What a watermark is written as; None for what can be none: NULL, and text that tells no time."""
    value = plain(watermark)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int | float | Decimal | date) or moment(value) is not None:
        return rendered(value)
    return None


def settled(watermark: object, now: datetime) -> bool:
    """Whether an edit from now on is sure to leave another watermark."""
    if isinstance(watermark, int | float | Decimal):
        return not any(_near(float(watermark) / ticks, now) for ticks in _TICKS_PER_SECOND)
    stood = moment(watermark)
    if stood is None:
        # A row's version as bytes counts edits, not time.
        return mark(watermark) is not None
    zoned = isinstance(watermark, datetime) and watermark.tzinfo is not None
    return stood < now - (SETTLED if zoned else SETTLED_SOMEWHERE)


def moment(watermark: object) -> datetime | None:
    """The time that it tells; one without a zone is taken as UTC."""
    match watermark:
        case str():
            return _read(watermark)
        case datetime():
            return watermark if watermark.tzinfo else watermark.replace(tzinfo=UTC)
        case date():
            return datetime.combine(watermark, time(), UTC)
        case _:
            return None


def _read(text: str) -> datetime | None:
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return None


def _near(seconds: float, now: datetime) -> bool:
    return abs(seconds - now.timestamp()) < SETTLED_SOMEWHERE.total_seconds()
