"""What every kind of source is told beside its own options: when it is read, by whom it is kept, what it may lose."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from indexer.schedule import cron, interval
from kb import access
from kb.errors import ConfigError


def parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that are the kind's own, and the settings, parsed. Raises ConfigError, naming the key."""
    own = {key: value for key, value in options.items() if key not in _PARSERS}
    shared = {key: _parsed(key, value) for key, value in options.items() if key in _PARSERS}
    if shared.get("every") and shared.get("cron"):
        raise ConfigError("a source has a schedule either by `every` or by `cron`: give one of them")
    return own, _one_schedule(shared)


def _one_schedule(shared: dict[str, Any]) -> dict[str, Any]:
    """Whichever schedule is given takes the place of the other."""
    if shared.get("every"):
        return shared | {"cron": None}
    return shared | {"every": None} if shared.get("cron") else shared


def _parsed(key: str, value: object) -> Any:
    if value is None or value == "":
        return False if key == "keep_original" else None
    try:
        return _PARSERS[key](value)
    except ValueError as error:
        raise ConfigError(f"`{key}` {error}") from error


def _words(value: object) -> str:
    words = str(value).strip()
    if not words.isprintable():
        raise ValueError("must be one line of words")
    return words


def _share(value: object) -> float:
    try:
        share = float(str(value).removesuffix("%")) / (100 if str(value).endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ValueError(f"cannot be `{value}`; it is a share from 0 to 1, such as 0.3 or 30%")
    return share


def _switch(value: object) -> bool:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if str(value).lower() not in words:
        raise ValueError(f"cannot be `{value}`; it is true or false")
    return words[str(value).lower()]


_PARSERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "owner": _words,
    "every": interval,
    "cron": cron,
    "access": access.parse,
    "fresh_within": interval,
    "delete_guard": _share,
    "keep_original": _switch,
}
NAMES: Final = tuple(_PARSERS)
