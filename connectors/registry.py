"""The kinds of source there are: what the entry-point group `kb.connectors` names."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast, get_type_hints

from connectors.options import canonical, nearest, parse
from connectors.protocol import MAX_BYTES, Connector, Kind
from connectors.secrets import discreet, expand, refuse_clear, secret
from kb.errors import ConfigError

GROUP = "kb.connectors"


def kinds() -> Mapping[str, EntryPoint]:
    """Every kind by its name; none is loaded yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def build(
    kind: str,
    options: Mapping[str, object],
    *,
    workspace: Path,
    base: Path,
    max_bytes: int = MAX_BYTES,
    environment: Mapping[str, str] | None = None,
) -> Connector:
    """A connector of that kind. Raises ConfigError; the source itself is not touched.

    Relative paths among the options start from `base`; under `workspace` the connector may keep what it fetches. Every
    `${NAME}` in an option stands for an environment variable.
    """
    found, expanded = _kind(kind), expand(kind, options, environment if environment is not None else os.environ)
    parsed = parse(kind, found.options_type, expanded.options, base)
    return discreet(found(parsed, workspace=workspace, max_bytes=max_bytes), expanded.secrets)


def normalise(kind: str, options: Mapping[str, object], *, base: Path, settings: Iterable[str] = ()) -> dict[str, Any]:
    """The options as the catalog keeps them: checked, absolute, lists as lists, defaults left out. Idempotent.

    What `${NAME}` stands for is not looked at. `settings` are a source's other keys. Raises ConfigError, also for a
    secret that is given as it is.
    """
    kept = parse(kind, _kind(kind).options_type, options, base, settings)
    parsers = get_type_hints(type(kept), include_extras=True)
    for one in fields(kept):
        whole = secret in parsers[one.name].__metadata__
        refuse_clear(kind, one.name, getattr(kept, one.name), whole=whole)
    return canonical(kept)


def _kind(name: str) -> Kind:
    known = kinds()
    if name not in known:
        raise ConfigError(f"no kind of source is called `{name}`; {nearest(name, known, 'known kinds')}")
    try:
        return cast(Kind, known[name].load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind `{name}` ({known[name].value}) cannot be loaded: {error}") from error
