"""Values of columns as text: the same value is always the same text, whatever the session's zone and format."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal


def plain(value: object) -> object:
    """Bytes as bytes, whatever the driver wraps them in."""
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def rendered(value: object) -> str:
    """Times in UTC where they know their zone, numbers without an exponent, JSON with sorted keys, bytes as text.

    Bytes that are not UTF-8 are written in hexadecimal.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime():
            return _moment(value).isoformat()
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return _words(bytes(value))
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, sort_keys=True, default=rendered)
        case _:
            return str(value)


def fit(text: str) -> str:
    """Without what a catalog cannot keep: NUL, and bytes that were no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")


def _moment(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value
    # The first and the last day of the calendar have no neighbour to be moved to.
    except OverflowError:
        return value


def _words(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
