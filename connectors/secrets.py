"""Secrets among a source's options: kept and shown as `${NAME}`, read from the environment when a connector is built.

What is kept holds no secret, so neither do listings and backups; what a connector says while it has them is cleaned of
them before anybody reads it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.options import REFERENCE, text, waits
from connectors.protocol import Closeable, Connector, Entry, Fetched, Historical, Listing, Watching
from kb.errors import ConfigError, ExtractionError

_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@|https?://([^/\s:@]+)@")
"""Over HTTP, a user without a password is a token."""
_SHORTEST = 3
"""Characters: what is shorter stands in every text."""

T = TypeVar("T")


def secret(value: object, base: Path) -> str:
    """The parser of an option that is a secret as a whole."""
    return text(value, base)


def refuse_clear(kind: str, key: str, value: object, *, whole: bool) -> None:
    """Raises ConfigError for a secret that stands in an option as it is; `whole` where all of the option is one."""
    for words in _texts(value):
        passwords = [words] if whole else [password or token for password, token in _PASSWORD.findall(words)]
        if not all(map(waits, passwords)):
            raise ConfigError(
                f"{kind} source: `{key}` holds a secret in clear, which would be kept and shown: put it into an "
                "environment variable and write ${NAME} in its place"
            )


@dataclass(frozen=True, slots=True)
class Expanded:
    """Options with every `${NAME}` replaced, and what they were replaced by."""

    options: Mapping[str, object]
    secrets: frozenset[str]


def expand(kind: str, options: Mapping[str, object], environment: Mapping[str, str]) -> Expanded:
    """Raises ConfigError, naming the key and the variable, where one is not set."""
    names = {name: key for key, value in options.items() for words in _texts(value) for name in _names(words)}
    for name, key in names.items():
        if name not in environment:
            raise ConfigError(
                f"{kind} source: `{key}` asks for the environment variable {name}, which is not set: "
                "set it for the process that reads the source"
            )
    found = _mapped(options, lambda words: REFERENCE.sub(lambda match: environment[match[1]], words))
    return Expanded(found, frozenset(environment[name] for name in names))


def discreet(connector: Connector, secrets: frozenset[str]) -> Connector:
    """The connector, whose errors do not hold the secrets; it itself where there are none."""
    shown = frozenset(form for secret in secrets if len(secret) >= _SHORTEST for form in (secret, quote(secret, "")))
    if not shown:
        return connector
    optional = [(Historical, _DiscreetHistory), (Watching, _DiscreetWatch)]
    parts = [part for protocol, part in optional if isinstance(connector, protocol)]
    made: Connector = type("Discreet", (*parts, _Discreet), {})(connector, shown)
    return made


class _Discreet:
    def __init__(self, connector: Any, secrets: frozenset[str]) -> None:
        self._connector = connector
        self._secrets = secrets

    def poll(self, checkpoint: str | None) -> Listing:
        listing: Listing = self._clean(lambda: self._connector.poll(checkpoint))
        return listing

    def fetch(self, entry: Entry) -> Fetched:
        fetched: Fetched = self._clean(lambda: self._connector.fetch(entry))
        return fetched

    def close(self) -> None:
        if isinstance(self._connector, Closeable):
            self._connector.close()

    def _clean(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except Exception as error:
            error.args = tuple(_mapped(part, self._hide) for part in error.args)
            if isinstance(error, ExtractionError):
                error.message = self._hide(error.message)
            raise

    def _hide(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return words


class _DiscreetHistory(_Discreet):
    @property
    def keeps_history(self) -> bool:
        kept: bool = self._connector.keeps_history
        return kept

    def history(self, checkpoint: str | None) -> Iterator[Listing]:
        listings = self._clean(lambda: iter(self._connector.history(checkpoint)))
        while (listing := self._clean(lambda: next(listings, None))) is not None:
            yield listing


class _DiscreetWatch(_Discreet):
    def watch(self, wake: Callable[[], None]) -> Closeable:
        watching: Closeable = self._clean(lambda: self._connector.watch(wake))
        return watching


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Every text within a value, changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_mapped(part, change) for part in value)
    if isinstance(value, Mapping):
        return {key: _mapped(part, change) for key, part in value.items()}
    return value


def _texts(value: object) -> Iterator[str]:
    """Every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _names(words: str) -> list[str]:
    """The variables that a text asks for."""
    return REFERENCE.findall(words)
