"""A row's key as a document's URI, and back.

One column gives its value as it is written, with `/` as the path that it looks like. Several are joined by `/`, and a
`/` within one of them is written `%2F`, so that different keys never share a URI.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from connectors.sql.values import rendered
from connectors.uri import escaped, path_of, uri_of

_BIGGEST = 2**63

_READ: Mapping[type, Callable[[str], object]] = {
    str: str,
    int: int,
    float: float,
    bool: lambda text: text == "true",
    Decimal: Decimal,
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}


def can_be_key(value: object) -> bool:
    return isinstance(value, bytes) or type(value) in _READ


def uri_of_key(values: Sequence[object]) -> str:
    if len(values) == 1:
        return _part(values[0])
    return "/".join(_part(value).replace("/", "%2F") for value in values)


def parts_of(uri: str, count: int) -> tuple[bytes, ...] | None:
    """What each of the key's columns is written as; None for what is no key of so many columns."""
    parts = [uri] if count == 1 else uri.split("/")
    return tuple(path_of(part) for part in parts) if len(parts) == count else None


def read(part: bytes, kind: type) -> object | None:
    """The value of that type which is written so; None where there is none."""
    if kind is bytes:
        return part
    try:
        value = _READ[kind](part.decode("utf-8"))
    except (ValueError, ArithmeticError):
        return None
    # Beyond this no driver has whole numbers.
    return None if isinstance(value, int) and abs(value) >= _BIGGEST else value


def _part(value: object) -> str:
    return uri_of(value) if isinstance(value, bytes) else escaped(rendered(value))
