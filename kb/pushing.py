"""What is pushed, checked before it is taken, and the receipt for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from kb import access
from kb.digest import digest, sha256_bytes
from kb.errors import UsageError

MAX_URI = 2_048
MAX_METADATA = 65_536

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}(\s*;[ -~]{0,255})?", re.ASCII)

Outcome = Literal["added", "changed", "unchanged", "removed", "absent"]


@dataclass(frozen=True, slots=True)
class Put:
    """A document as it is to be. `access` is the groups that may see it; None leaves that to the source."""

    uri: str
    content: bytes
    media_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    access: tuple[str, ...] | None = None
    modified_at: datetime | None = None

    @property
    def digest(self) -> str:
        """Of all but the time: what was merely touched is the same."""
        return digest("put", self.uri, sha256_bytes(self.content), self.media_type, dict(self.metadata), self.access)


@dataclass(frozen=True, slots=True)
class Delete:
    """A document that is to go."""

    uri: str

    @property
    def digest(self) -> str:
        return digest("delete", self.uri)


Change = Put | Delete


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of one document. Deleting what is not there is `absent`, and no error."""

    uri: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was taken. The source's revision is `sequence` or higher once a sync has seen it."""

    sequence: int
    documents: tuple[Pushed, ...]


def check(change: Change, max_bytes: int) -> None:
    """Raises UsageError for what cannot be taken."""
    shown = _check_uri(change.uri)
    if isinstance(change, Put):
        if len(change.content) > max_bytes:
            raise UsageError(f"{shown} has more than the {max_bytes:,} bytes that a document may have")
        if change.media_type is not None and not _MEDIA_TYPE.fullmatch(change.media_type):
            raise UsageError(f"{shown}: {change.media_type!r} is not a media type such as text/markdown")
        if change.modified_at is not None and change.modified_at.utcoffset() is None:
            raise UsageError(f"{shown}: its time of modification needs a time zone")
        _check_metadata(shown, change.metadata)
        access.parse(change.access)


def check_key(key: str | None) -> None:
    """Raises UsageError for an idempotency key that cannot be one."""
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise UsageError("an idempotency key is 1 to 255 printable characters")


def _check_uri(uri: str) -> str:
    """The URI as errors show it."""
    if not isinstance(uri, str) or not uri.strip():
        raise UsageError("a document needs a URI: a path with `/`, or a URL")
    if not _fits(uri, MAX_URI):
        raise UsageError(f"the URI {uri[:60]!r}… is longer than {MAX_URI:,} bytes, or no valid UTF-8")
    if any(ord(character) < 32 or ord(character) == 127 for character in uri):
        raise UsageError(f"the URI {uri[:200]!r} holds control characters; write them as %XX")
    return uri[:200]


def _check_metadata(shown: str, metadata: Mapping[str, str]) -> None:
    pairs = list(metadata.items())
    if not all(isinstance(word, str) for pair in pairs for word in pair) or not all(key.strip() for key, _ in pairs):
        raise UsageError(f"{shown}: metadata is text by named keys")
    if not _fits("".join(word for pair in pairs for word in pair), MAX_METADATA):
        raise UsageError(f"{shown}: its metadata is longer than {MAX_METADATA:,} bytes, or no valid UTF-8")


def _fits(text: str, most_bytes: int) -> bool:
    try:
        return len(text.encode("utf-8")) <= most_bytes
    except UnicodeEncodeError:
        return False
