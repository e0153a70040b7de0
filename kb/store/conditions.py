"""Conditions on rows, as LanceDB reads them."""

from collections.abc import Iterable

from kb.access import Keys


def alive(version: int) -> str:
    """The filter of the rows that live at a version."""
    return f"since <= {version} AND until > {version}"


def visible(version: int, keys: Keys, condition: str | None) -> str:
    """The filter of those of them that the keys open, too, and that meet the condition if there is one."""
    opened = [] if keys is None else [any_of("access", keys)]
    asked = [] if condition is None else [f"({condition})"]
    return " AND ".join([alive(version), *opened, *asked])


def between(spans: Iterable[tuple[int, int]]) -> str:
    """The filter of the rows that live after `a` only, and end by `b`, for any of the spans (a, b)."""
    return " OR ".join(f"(since > {after} AND until <= {upto})" for after, upto in spans)


def one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def among(column: str, numbers: Iterable[int]) -> str:
    return f"{column} IN ({', '.join(map(str, numbers))})"


def any_of(column: str, values: Iterable[str]) -> str:
    """The filter of the rows whose list holds one of the values."""
    return f"array_has_any({column}, [{', '.join(quoted(value) for value in values)}])"


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
