"""Filters on a search: `key=value` pairs, turned into one condition that the store applies before it ranks."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from kb.errors import UsageError
from kb.store.chunks import one_of, quoted

Filters = Mapping[str, Sequence[str]]


def parse_filters(pairs: Iterable[str]) -> Filters:
    """`["source=peps", "uri=docs/**"]`; a key given twice takes either value. Raises UsageError."""
    parsed: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not value:
            raise UsageError(f"filter {pair!r} is not of the form key=value")
        parsed.setdefault(key, []).append(value)
    return parsed


def condition(filters: Filters) -> str:
    """The filters as a condition on chunk rows; keys must all hold. Raises UsageError for an unknown key."""
    clauses = []
    for key, values in filters.items():
        if key not in _CLAUSES:
            near = difflib.get_close_matches(key, _CLAUSES, 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_CLAUSES)}"
            raise UsageError(f"there is no filter {key!r}; {hint}")
        clauses.append(f"({_CLAUSES[key](values)})")
    return " AND ".join(clauses) or "true"


def _source(values: Sequence[str]) -> str:
    return one_of("source", values)


def _uri(values: Sequence[str]) -> str:
    """`*` stands for any characters, slashes included; `?` for one."""
    return " OR ".join(f"uri LIKE {quoted(_like(value))}" for value in values)


def _like(glob: str) -> str:
    escaped = "".join(f"\\{character}" if character in "%_\\" else character for character in glob)
    return escaped.replace("*", "%").replace("?", "_")


_CLAUSES: Final[Mapping[str, Callable[[Sequence[str]], str]]] = {"source": _source, "uri": _uri}
