"""Cursors: where a list goes on, in the version that it began with, so that it is the same whatever is published."""

import base64
import binascii
import json
from typing import Annotated, Final

from fastapi import Query

from kb.errors import UsageError

MOST: Final = 1_000
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.", examples=[100])]
Continued = Annotated[
    str | None,
    Query(max_length=20_000, description="`next` of the page before: the list goes on in the version it began with."),
]


def cursor(kind: str, version: int, *after: str | int) -> str:
    """Opaque to those who hold it; `after` is the last that they have."""
    written = json.dumps([kind, version, *after], separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode("ascii")).decode("ascii").rstrip("=")


def position(kind: str, written: str, *types: type[str] | type[int]) -> tuple[int, list[str | int]]:
    """The version of a cursor of that kind, and what it stands after. Raises UsageError."""
    try:
        padded = written + "=" * (-len(written) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        named, version, *after = found
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise UsageError(_not_a_cursor(kind)) from error
    if named != kind or [type(part) for part in (version, *after)] != [int, *types]:
        raise UsageError(_not_a_cursor(kind))
    return version, after


def _not_a_cursor(kind: str) -> str:
    return f"that is no cursor of a list of {kind}: give `next` of the page before, as it was"
