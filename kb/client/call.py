"""A verb as a request, and what its reply is read as: values alone, whatever carries them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from kb.errors import UsageError

Told = TypeVar("Told")
Row = TypeVar("Row")
PAGE: Final = 1_000
"""Rows that are asked for at a time."""
Words = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Call(Generic[Told]):
    """All verbs read, so all may be asked again. `target` is path and query, `told` the type of the reply."""

    target: str
    told: type[Told]
    body: bytes | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, slots=True)
class Pages(Generic[Row]):
    """A list that comes page by page; at most `limit` rows of it."""

    path: str
    words: Words
    row: type[Row]
    limit: int | None = None

    def page(self, had: int, cursor: str | None) -> Call[Any]:
        """The page that follows; `had` rows are there already."""
        rest = PAGE if self.limit is None else max(1, min(PAGE, self.limit - had))
        return Call(target(self.path, *self.words, ("limit", rest), ("cursor", cursor)), dict)

    def whole(self, had: int, cursor: str | None) -> bool:
        return cursor is None or (self.limit is not None and had >= self.limit)


def target(path: str, *words: tuple[str, Any]) -> str:
    """Path and query; what is None is left out. Raises UsageError for text that is not Unicode."""
    try:
        query = urlencode([(name, _word(value)) for name, value in words if value is not None])
    except UnicodeEncodeError as error:
        raise _not_unicode(error) from error
    return f"{path}?{query}" if query else path


def segment(text: str | int) -> str:
    """A part of a path, whatever it holds. Raises UsageError."""
    try:
        return quote(str(text), safe="")
    except UnicodeEncodeError as error:
        raise _not_unicode(error) from error


def body(asked: Mapping[str, Any], usual: Mapping[str, Any]) -> bytes:
    """What differs from the usual, so that a server that does not know a setting can be asked without it."""
    told = {name: value for name, value in asked.items() if name not in usual or value != usual[name]}
    try:
        return json.dumps(told, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _not_unicode(error) from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"this cannot be asked: {error}") from error


def listed(values: str | Iterable[str]) -> str | list[str]:
    return values if isinstance(values, str) else list(values)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _not_unicode(error: UnicodeEncodeError) -> UsageError:
    return UsageError(f"{error.object[:100]!r} is not valid Unicode text")
