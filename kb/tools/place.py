"""Where agents find a document: a URI that says as of which version, so that what is fetched is what was found."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from kb.errors import UsageError

TEMPLATE: Final = "kb://{version}/{source}/{+uri}"
_PREFIX: Final = "kb://"


@dataclass(frozen=True, slots=True)
class Place:
    """`version` may be any reference; in what we write it is the number."""

    version: str
    source: str
    uri: str

    def __str__(self) -> str:
        version, source = quote(self.version, safe=""), quote(self.source, safe="")
        return f"{_PREFIX}{version}/{source}/{quote(self.uri, safe='/:@!$&()*+,;=~')}"

    @property
    def document(self) -> str:
        return f"{self.source}:{self.uri}"


def place(text: str) -> Place:
    """What such a URI names. Raises UsageError."""
    parts = text.removeprefix(_PREFIX).split("/", 2)
    if not text.startswith(_PREFIX) or len(parts) < 3 or not all(parts):
        raise UsageError(f"{text[:200]!r} names no document: an id is {_PREFIX}VERSION/SOURCE/URI, as search gives it")
    try:
        return Place(*(unquote(part, errors="strict") for part in parts))
    except UnicodeDecodeError as error:
        raise UsageError(f"{text[:200]!r} names no document: it is not UTF-8") from error
