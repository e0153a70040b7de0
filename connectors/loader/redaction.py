"""A loader's own words without the values that it was given: any of them may be a secret."""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

from connectors import redaction
from connectors.loader.child import encoded
from connectors.uri import uri_of

_LONGEST = 400
_SHORT = 4
_LINE = 8


def redacted(words: str, arguments: Mapping[str, object]) -> str:
    """One line, not too long; each argument's text is replaced by its name: `<token>`."""
    named = {form: name for name, value in _texts(arguments) for form in _forms(value)}
    if named:
        # The longest first, and all in one go: what stands for one of them must not be taken for another.
        pattern = "|".join(map(_pattern, sorted(named, key=len, reverse=True)))
        words = re.sub(pattern, lambda found: f"<{named[found[0]]}>", words)
    line = uri_of(encoded(" ".join(redaction.redacted(words).split())))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def _texts(value: object, name: str = "argument") -> Iterator[tuple[str, str]]:
    """Every text in it, with the nearest name above it."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, str(key))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, name)
    elif isinstance(value, str) and value.strip():
        yield name, value


def _forms(value: str) -> set[str]:
    """How a value may show in an error: as it is, line by line, quoted, in a URL, or as a URL's password alone."""
    forms = {value, value.strip(), quote(value), quote(value, ""), quote_plus(value)}
    forms |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _LINE}
    forms |= {repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return forms | _credentials(value)


def _pattern(form: str) -> str:
    # A short one counts only where it stands alone: else it would take every other word along.
    return rf"(?<!\w){re.escape(form)}(?!\w)" if len(form) < _SHORT else re.escape(form)


def _credentials(value: str) -> set[str]:
    try:
        parts = urlsplit(value)
        return {form for part in (parts.username, parts.password) if part for form in (part, unquote(part))}
    except ValueError:
        return set()
