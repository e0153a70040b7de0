"""What a loader source is told: which loader, with which arguments, and what of its documents' metadata to go by."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from connectors import options, patterns

OWN_ID = "@id"
"""Among the keys of `id`: the document's own id, as LangChain's `id` and LlamaIndex's `doc_id`."""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(\.|:)[^\W\d]\w*(\.[^\W\d]\w*)*")
_DAY_S = 24 * 3600


def dotted(value: object, base: Path) -> str:
    given = options.text(value, base)
    if not _DOTTED.fullmatch(given):
        raise ValueError("must be a dotted name such as package.module:Class")
    return given


def mapping(value: object, base: Path) -> Mapping[str, object] | str:
    """A mapping, or JSON text of one; text that is one `${NAME}` stays, for it is JSON once it is replaced."""
    if isinstance(value, str):
        if options.REFERENCE.fullmatch(value.strip()):
            return value.strip()
        value = _json(value)
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError('must be a JSON object, such as {"path": "x"}')
    try:
        json.dumps(dict(value))
    except (TypeError, ValueError) as error:
        raise ValueError("must hold nothing but what JSON can say") from error
    return dict(value)


def keys(value: object, base: Path) -> tuple[str, ...]:
    """Metadata keys, as text with commas between them or as a list."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError("must be metadata keys, separated by commas")
    return tuple(options.text(word, base) for word in words if word.strip())


def seconds(value: object, base: Path) -> int:
    return _number(value, "seconds", _DAY_S)


def megabytes(value: object, base: Path) -> int:
    return _number(value, "megabytes", 2**20)


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """`loader` is called with `arguments`, its method with `load_arguments`, in `directory`."""

    loader: Annotated[str, dotted]
    arguments: Annotated[Mapping[str, object] | str | None, mapping] = None
    load_arguments: Annotated[Mapping[str, object] | str | None, mapping] = None
    directory: Annotated[Path | None, options.path] = None
    id: Annotated[tuple[str, ...], keys] = ()
    ignore: Annotated[tuple[str, ...], keys] = ()
    media_type: Annotated[str | None, options.text] = None
    include: Annotated[tuple[str, ...], patterns.including] = ()
    exclude: Annotated[tuple[str, ...], patterns.split] = ()
    timeout_s: Annotated[int, seconds] = 1800
    memory_mb: Annotated[int, megabytes] = 4096


def _json(text: str) -> object:
    try:
        return json.loads(text)
    # The decoder's error carries the whole text, which may hold a secret.
    except ValueError:
        raise ValueError('must be JSON, such as {"path": "x"}; ${NAME} stands within quotes') from None


def _number(value: object, unit: str, most: int) -> int:
    given = value.strip() if isinstance(value, str) else value
    number = int(given) if isinstance(given, str) and given.isascii() and given.isdigit() else given
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= most:
        raise ValueError(f"must be a number of {unit} from 1 to {most}")
    return number
