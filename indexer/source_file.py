"""A whole list of sources in a YAML file, and how what is registered differs from it.

Each source has `name` and `kind`; its other keys are its options and settings, as `kb source add` takes them. What the
file does not say has its default. Secrets stand as `${NAME}`.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from connectors import registry
from indexer.settings import NAMES, parted
from kb.errors import ConfigError
from kb.nouns import Source

_KEPT: Final = ("spool",)
"""Options that are made up when a source is added, and are no business of a file."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that differs; None where it has its default."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changed:
    name: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What applying the file changes, or with `dry_run` would change; `unmentioned` are left as they are."""

    dry_run: bool
    added: tuple[Source, ...]
    changed: tuple[Changed, ...]
    removed: tuple[str, ...]
    unmentioned: tuple[str, ...]
    unchanged: int


def read(path: Path) -> list[Source]:
    """The sources that the file describes, checked; relative paths start from the file. Raises ConfigError."""
    try:
        content = yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}{_line(error)}: {_said(error)}") from error
    if not isinstance(content, Mapping) or list(content) != ["sources"] or not isinstance(content["sources"], list):
        raise ConfigError(f"{path}: must hold one key, `sources`, with a list of sources under it")
    found = [_source(path, place, one) for place, one in enumerate(content["sources"], 1)]
    names = [source.name for source in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"{path}: there are {names.count(name)} sources called {name!r}; give each its own `name`"
            )
    return found


def compare(known: Mapping[str, Source], wanted: Sequence[Source], *, prune: bool, dry_run: bool) -> Reconciliation:
    """Pure. Raises ConfigError for a source whose kind would change."""
    for source in wanted:
        if source.name in known and known[source.name].kind != source.kind:
            raise ConfigError(
                f"source {source.name!r} is of kind {known[source.name].kind}, the file says {source.kind}: "
                "remove it first, or give the new one another name"
            )
    differing = [Changed(one.name, _differences(known[one.name], one)) for one in wanted if one.name in known]
    rest = tuple(sorted(known.keys() - {source.name for source in wanted}))
    return Reconciliation(
        dry_run=dry_run,
        added=tuple(source for source in wanted if source.name not in known),
        changed=tuple(one for one in differing if one.settings),
        removed=rest if prune else (),
        unmentioned=() if prune else rest,
        unchanged=sum(not one.settings for one in differing),
    )


def merged(known: Source, wanted: Source) -> Source:
    """The wanted source with what only the registered one can know."""
    kept = {key: known.options[key] for key in _KEPT if key in known.options}
    return replace(wanted, options={**wanted.options, **kept}, created_at=known.created_at)


def settings_of(source: Source) -> dict[str, Any]:
    """All that a file says of a source but its name and kind."""
    return {"options": dict(source.options), **{key: getattr(source, key) for key in NAMES}}


def _differences(known: Source, wanted: Source) -> tuple[Setting, ...]:
    before, after = _flat(known), _flat(merged(known, wanted))
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return tuple(Setting(key, before.get(key), after.get(key)) for key in keys)


def _flat(source: Source) -> dict[str, Any]:
    settings = {key: getattr(source, key) for key in NAMES}
    return {**source.options, **{key: value for key, value in settings.items() if value not in (None, False)}}


def _source(path: Path, place: int, found: Any) -> Source:
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise ConfigError(f"{path}: source {place} must be a list of `key: value`")
    for key in ("name", "kind"):
        if not isinstance(found.get(key), str):
            raise ConfigError(f"{path}: source {place} lacks its `{key}`")
    name, kind = found["name"], found["kind"]
    try:
        own, shared = parted({key: _text(value) for key, value in found.items() if key not in ("name", "kind")})
        options = registry.normalise(kind, own, base=path.absolute().parent, settings=NAMES)
    except ConfigError as error:
        raise ConfigError(f"{path}: source {name!r}: {error}") from error
    return Source(name, kind, options, **shared)


def _text(value: Any) -> Any:
    """Numbers and switches as a command line gives them, so that both mean the same."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _line(error: yaml.MarkedYAMLError) -> str:
    return f":{error.problem_mark.line + 1}" if error.problem_mark else ""


def _said(error: yaml.MarkedYAMLError) -> str:
    said = str(error.problem)
    if "\\t" in said or "\t" in said:
        return "a tab stands where YAML takes spaces only: indent with spaces"
    return said


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """A key that stands twice is an error: else the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.MarkedYAMLError(
                    problem=f"`{key}` stands twice", problem_mark=node.value[place][0].start_mark
                )
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found
