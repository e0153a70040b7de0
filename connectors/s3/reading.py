"""What an object's headers say about its bytes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.protocol import Fetched
from connectors.s3.wire import Answer
from connectors.uri import escaped

_GENERIC = re.compile(r"(application|binary)/octet-stream|application/x-www-form-urlencoded", re.IGNORECASE)
_OWN = "x-amz-meta-"


def fetched(answer: Answer) -> Fetched:
    """The revision is the object's version where the bucket keeps versions, its ETag elsewhere."""
    headers = answer.headers
    version = headers.get("x-amz-version-id", "")
    etag = headers.get("etag", "").removeprefix("W/").strip('"')
    return Fetched(
        answer.content,
        media_type=_media_type(headers.get("content-type", "")),
        revision=(version if version not in ("", "null") else etag) or None,
        modified_at=_moment(headers.get("last-modified", "")),
        metadata=_own_words(headers),
    )


def _media_type(said: str) -> str | None:
    """None for what servers say of anything whose type they were not told."""
    return None if not said or _GENERIC.match(said) else said


def _moment(said: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _own_words(headers: Mapping[str, str]) -> dict[str, str]:
    """The metadata that whoever put the object there gave with it."""
    return {name.removeprefix(_OWN): _text(value) for name, value in headers.items() if name.startswith(_OWN)}


def _text(value: str) -> str:
    # HTTP's headers are read as Latin-1; most servers mean UTF-8.
    return escaped(value.encode("latin-1", "replace").decode("utf-8", "surrogateescape"))
