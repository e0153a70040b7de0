"""Cron's weekdays: 0 and 7 are Sunday, as everywhere but in APScheduler, whose 0 is Monday."""

import re
from collections.abc import Iterator
from typing import Final

_NAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def named(field: str) -> str:
    """The field's days by their names, `*` as it is. Raises ValueError."""
    if field == "*":
        return field
    days = {day for part in field.lower().split(",") for day in _days(part)}
    return ",".join(_NAMES[day] for day in sorted(days))


def _days(part: str) -> Iterator[int]:
    found = _PART.fullmatch(part)
    if found is None or found[3] == "0":
        raise ValueError(f"Unrecognized expression {part!r} for the weekday")
    step = int(found[3] or 1)
    if found[1] is None:
        first, last = 0, 6
    else:
        first = _day(found[1])
        # As cron has it, `1/2` is every second day from Monday on.
        last = _day(found[2]) if found[2] else (6 if found[3] else first)
    # From Friday to Monday is a range, too.
    last += 7 if last < first else 0
    return (day % 7 for day in range(first, last + 1, step))


def _day(word: str) -> int:
    if word in _NAMES:
        return _NAMES.index(word)
    if not word.isascii() or not word.isdecimal() or int(word) > 7:
        raise ValueError(f"{word!r} is no weekday: 0 to 7, 0 and 7 both Sunday, or {' '.join(_NAMES)}")
    return int(word)
