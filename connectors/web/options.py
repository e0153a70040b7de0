"""What a web source is told: where it begins, how far it goes, and how gently."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from connectors import options, patterns
from connectors.secrets import secret
from kb.errors import ConfigError

_BETWEEN = re.compile(r"\s*,\s*(?=https?://|\$\{)|\s+", re.IGNORECASE)


def locations(value: object, base: Path) -> tuple[str, ...]:
    """URLs as text, parted by white space or commas, or as a list. Errors never repeat one: it may be secret."""
    given = _BETWEEN.split(value.strip()) if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise ValueError("must be URLs: a list, or text with commas between them")
    return tuple(dict.fromkeys(_location(each, base) for each in given if each))


def whole(value: object, base: Path) -> int | str:
    """A whole number from 0 on."""
    if options.waits(value):
        return value
    number = _number(value)
    if not number.is_integer() or not 0 <= number < 2**31:
        raise ValueError(f"cannot be {value!r}; it is a whole number from 0 on")
    return int(number)


def positive(value: object, base: Path) -> float | str:
    if options.waits(value):
        return value
    number = _number(value)
    if not 0.001 <= number <= 3600:
        raise ValueError(f"cannot be {value!r}; it is a number between 0.001 and 3600")
    return number


def flag(value: object, base: Path) -> bool | str:
    if isinstance(value, bool) or options.waits(value):
        return value
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in known:
        raise ValueError(f"cannot be {value!r}; it is true or false")
    return known[str(value).strip().lower()]


@dataclass(frozen=True, slots=True)
class WebOptions:
    """At least one of `urls` and `sitemap`; the package's own page tells what each option means."""

    urls: Annotated[tuple[str, ...], locations] = ()
    sitemap: Annotated[tuple[str, ...], locations] = ()
    depth: Annotated[int, whole] = 0
    include: Annotated[tuple[str, ...], patterns.including] = ()
    exclude: Annotated[tuple[str, ...], patterns.split] = ()
    rate: Annotated[float, positive] = 4.0
    timeout_s: Annotated[float, positive] = 30.0
    max_pages: Annotated[int, whole] = 10_000
    allow_private: Annotated[bool, flag] = False
    authorization: Annotated[str | None, secret] = None

    def __post_init__(self) -> None:
        if not self.urls and not self.sitemap:
            raise ConfigError("web source: there is nothing to read: give urls=… or sitemap=…")


def _location(given: str, base: Path) -> str:
    text = options.text(given, base)
    if options.waits(text):
        return text
    try:
        parts = urlsplit(text)
        found = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        found = False
    if not found:
        raise ValueError("must be URLs that begin with http:// or https:// and name a host")
    return text


def _number(value: object) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        return math.nan
