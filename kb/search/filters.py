"""Filters on a search, turned into one condition on chunk rows that the store applies before it ranks.

Several values of a key: any of them; several keys: all of them.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from typing import Final

from kb.access import Keys
from kb.catalog import Connection, documents, facets
from kb.clock import parse_instant
from kb.errors import UsageError
from kb.facets import GLOBBED, RESERVED, facet, filter_name
from kb.store.conditions import any_of, one_of, quoted

Filters = Mapping[str, Sequence[str]]
NOTHING: Final = "false"
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}.*)?")


@dataclass(frozen=True, slots=True)
class AsOf:
    """The catalog, and the version at which a filter is resolved."""

    connection: Connection
    version: int
    keys: Keys = None


def parse_filters(pairs: Iterable[str]) -> Filters:
    """`["source=peps", "uri=docs/**"]`; a key given twice takes either value. Raises UsageError."""
    parsed: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"filter {pair!r} is not of the form key=value")
        parsed.setdefault(key, []).append(value)
    return parsed


def normalise(filters: Mapping[str, str | Sequence[str]]) -> Filters:
    """Each key with its values, a lone value as one of them. Raises UsageError for what no value can be."""
    found = {key: [values] if isinstance(values, str) else list(values) for key, values in filters.items()}
    for key, values in found.items():
        if not values:
            raise UsageError(f"filter {key!r} has no value: give one, or leave the filter out")
        for word in (key, *values):
            if not isinstance(word, str) or _unfit(word):
                raise UsageError(f"filter {key!r}: {word!r} is not valid Unicode text")
    return found


def condition(filters: Filters, at: AsOf) -> str:
    """The filters as a condition on the rows of the version. Raises UsageError for an unknown key or a bad value."""
    unknown = filters.keys() - _CLAUSES.keys()
    if unknown:
        _require_known(sorted(unknown), _known(at))
    clauses = [_CLAUSES.get(key, _facet)(key, values, at) for key, values in filters.items()]
    return " AND ".join(f"({clause})" for clause in clauses) or "true"


def _known(at: AsOf) -> set[str]:
    """The metadata that can be filtered by: all that was ever indexed, or what documents have that the caller sees."""
    if at.keys is None:
        return facets.names(at.connection)
    return {*GLOBBED, *map(filter_name, documents.metadata_keys(at.connection, at.keys))}


def _require_known(keys: Iterable[str], indexed: set[str]) -> None:
    known = sorted(indexed.union(RESERVED))
    for key in keys:
        if key not in indexed:
            near = difflib.get_close_matches(key, known, 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"there is no filter {key!r}; {hint}")


def _source(_key: str, values: Sequence[str], _at: AsOf) -> str:
    return one_of("source", values)


def _uri(_key: str, values: Sequence[str], _at: AsOf) -> str:
    """`*` stands for any characters, slashes included; `?` for one."""
    return " OR ".join(f"uri LIKE {quoted(_like(value))}" for value in values)


def _like(glob: str) -> str:
    escaped = "".join(f"\\{character}" if character in "%_\\" else character for character in glob)
    return escaped.replace("*", "%").replace("?", "_")


def _facet(key: str, values: Sequence[str], _at: AsOf) -> str:
    return any_of("facets", [facet(key, value) for value in values])


def _globbed(key: str, values: Sequence[str], at: AsOf) -> str:
    """Globs stand for the values that were ever indexed, so that the rows are asked for exact words alone."""
    globs = [_pattern(value) for value in values if "*" in value or "?" in value]
    exact = {value for value in values if "*" not in value and "?" not in value}
    if globs:
        known = facets.values(at.connection, key)
        exact |= {value for value in known if any(glob.fullmatch(value) for glob in globs)}
    return _facet(key, sorted(exact), at) if exact else NOTHING


def _pattern(glob: str) -> re.Pattern[str]:
    # Of what fnmatch knows only `*` and `?` are meant: headings hold brackets.
    return re.compile(translate(glob.replace("[", "[[]")))


def _modified_after(key: str, values: Sequence[str], at: AsOf) -> str:
    """At the moment or later; a date means its beginning, UTC."""
    return _modified(at, after=min(_moment(key, value) for value in values))


def _modified_before(key: str, values: Sequence[str], at: AsOf) -> str:
    """Earlier than the moment; a date means its beginning, UTC."""
    return _modified(at, before=max(_moment(key, value) for value in values))


def _modified(at: AsOf, after: datetime | None = None, before: datetime | None = None) -> str:
    # A document's time moves with each edit, its unchanged rows do not: so it is asked of the catalog.
    within, ids = documents.by_modification(at.connection, at.version, after, before)
    if not ids:
        return NOTHING if within else "true"
    return one_of("document_id", ids) if within else f"NOT {one_of('document_id', ids)}"


def _moment(key: str, value: str) -> datetime:
    try:
        if _MOMENT.fullmatch(value):
            return parse_instant(value)
    except (ValueError, OverflowError):
        pass
    raise UsageError(f"filter {key!r}: {value!r} is no date or time; give 2024-05-01 or 2024-05-01T09:30:00Z")


def _unfit(word: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in word)


_CLAUSES: Final[Mapping[str, Callable[[str, Sequence[str], AsOf], str]]] = {
    "source": _source,
    "uri": _uri,
    "media_type": _globbed,
    "section": _globbed,
    "modified_after": _modified_after,
    "modified_before": _modified_before,
}
assert tuple(_CLAUSES) == RESERVED
