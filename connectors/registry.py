"""The kinds of source there are: what the entry-point group `kb.connectors` names."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from connectors.options import canonical, nearest, parse
from connectors.protocol import MAX_BYTES, Connector, Kind
from kb.errors import ConfigError

GROUP = "kb.connectors"


def kinds() -> Mapping[str, EntryPoint]:
    """Every kind by its name; none is loaded yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def build(
    kind: str, options: Mapping[str, object], *, workspace: Path, base: Path, max_bytes: int = MAX_BYTES
) -> Connector:
    """A connector of that kind. Raises ConfigError; the source itself is not touched.

    Relative paths among the options start from `base`; under `workspace` the connector may keep what it fetches.
    """
    found = _kind(kind)
    return found(parse(kind, found.options_type, options, base), workspace=workspace, max_bytes=max_bytes)


def normalise(kind: str, options: Mapping[str, object], *, base: Path) -> dict[str, Any]:
    """The options as the catalog keeps them: checked, absolute, lists as lists, defaults left out. Idempotent."""
    return canonical(parse(kind, _kind(kind).options_type, options, base))


def _kind(name: str) -> Kind:
    known = kinds()
    if name not in known:
        raise ConfigError(f"no kind of source is called `{name}`; {nearest(name, known, 'known kinds')}")
    try:
        return cast(Kind, known[name].load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind `{name}` ({known[name].value}) cannot be loaded: {error}") from error
