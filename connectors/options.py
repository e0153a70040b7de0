"""A source's options, from the words of a command line or the values of a file into one frozen value per kind.

A kind declares a frozen dataclass with fields like `path: Annotated[Path, parser]`; the parser takes the value as given
and the directory that relative paths start from, and raises ValueError saying what is wrong with it.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, get_type_hints

from kb.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)
"""`${NAME}`, which stands for an environment variable."""
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

Parser = Callable[[object, Path], object]


def parse(
    kind: str, options_type: "type[Options]", options: Mapping[str, object], base: Path, settings: Iterable[str] = ()
) -> "Options":
    """Raises ConfigError for an unknown key, a missing one or a value that cannot be.

    `settings` are what a source of any kind has beside its options: one may have been meant by an unknown key.
    """
    known = {each.name: each for each in fields(options_type)}
    parsers = get_type_hints(options_type, include_extras=True)
    given = {key: value for key, value in options.items() if value is not None}
    for key in options:
        if key not in known:
            raise ConfigError(f"{kind} source: unknown key `{key}`; {nearest(key, [*known, *settings], 'known keys')}")
    for name, each in known.items():
        if name not in given and each.default is MISSING:
            raise ConfigError(f"{kind} source: `{name}` is missing: give {name}=…")
    return options_type(**{key: _parsed(kind, key, parsers[key], value, base) for key, value in given.items()})


def canonical(options: "DataclassInstance") -> dict[str, object]:
    """The options as plain JSON values, those that have their default left out."""
    values = {each.name: (getattr(options, each.name), each.default) for each in fields(options)}
    return {name: _plain(value) for name, (value, default) in values.items() if value != default}


def nearest(word: str, known: Iterable[str], title: str) -> str:
    """What to say about a word that is not known."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, 1, 0.4)
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"{hint}{title}: {', '.join(names)}"


def waits(value: object) -> TypeGuard[str]:
    """Whether it is text with a `${NAME}` in it: what it will be is not known before a connector is built."""
    return isinstance(value, str) and REFERENCE.search(value) is not None


def text(value: object, base: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a word")
    return _one_line(value.strip())


def path(value: object, base: Path) -> Path:
    """An absolute path; its symbolic links stay, for whoever set them may point them elsewhere.

    What begins with a reference stays as it is: where it starts from is not known yet.
    """
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError("must be a path")
    if REFERENCE.match(str(value)):
        return Path(_one_line(str(value)))
    return Path(os.path.abspath(base / Path(_one_line(str(value))).expanduser()))


def _one_line(value: str) -> str:
    if _UNFIT.search(value):
        raise ValueError("must be valid UTF-8 without control characters")
    return value


def _parsed(kind: str, key: str, annotation: Any, value: object, base: Path) -> object:
    parser: Parser = annotation.__metadata__[0]
    try:
        return parser(value, base)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"{kind} source: `{key}` {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
