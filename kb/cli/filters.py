"""Filters as they are typed: `--filter KEY=VALUE`, any number of times."""

from collections.abc import Iterable, Mapping, Sequence

from kb.errors import UsageError


def parse_filters(pairs: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """`["source=peps", "uri=docs/**"]`; a key given twice takes either value. Raises UsageError."""
    parsed: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"filter {pair!r} is not of the form key=value")
        parsed.setdefault(key, []).append(value)
    return parsed
