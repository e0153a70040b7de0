"""Spans of time as people write them: `90s`, `10m`, `1h30m`, `2d`, `1w`."""

import re
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(r"(\d{1,9})([smhdw])")


def seconds(written: str) -> int:
    """Raises ValueError for what is not a span of at least a second."""
    parts = _PART.findall(written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        raise ValueError(f"cannot be `{written}`; write a number and one of s, m, h, d, w, such as 10m or 1h30m")
    total = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if total < 1:
        raise ValueError("must be at least a second")
    return total


def written(span_s: float) -> str:
    """The span in its largest two units, such as `1h30m`; `0s` for less than a second."""
    rest, parts = max(0, int(span_s)), list[str]()
    for unit, size in sorted(_SECONDS.items(), key=lambda pair: -pair[1]):
        if rest >= size and len(parts) < 2:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return "".join(parts) or "0s"
