"""Access lists: which groups may see a document, and how rows and conditions say so.

A document without a list is for everyone. A list rules reads of all versions, old ones too, as it stands today.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from kb.errors import ConfigError, UsageError

Groups = tuple[str, ...]
Keys = Groups | None
"""What a caller shares with the rows that it may see, as `keys_of` has it; None for one who may see everything."""
EVERYONE: Final[Groups] = ("",)
"""What the rows of a document without a list hold: no group has an empty name."""
NOBODY: Final[Groups] = (" ",)
"""What the rows of a document with an empty list hold: no group has a blank name."""


def held(access: Sequence[str] | None) -> Groups:
    """An access list as rows hold it; None where there is none."""
    return EVERYONE if access is None else tuple(sorted(_names(access))) or NOBODY


def parse(value: object) -> Groups | None:
    """A source's setting: names separated by commas, or a list of them; None where it is empty. Raises ConfigError."""
    names = value.split(",") if isinstance(value, str) else value
    if value is None or value == "":
        return None
    if not isinstance(names, list | tuple) or not all(_named(name) for name in names):
        raise ConfigError(f"`access` is a list of groups, such as staff,legal, or empty for everyone: not {value!r}")
    return tuple(sorted(_names(names)))


def keys_of(groups: Sequence[str]) -> Groups:
    """What a member of these groups shares with the rows that it may see. Raises UsageError for a blank name."""
    names = [groups] if isinstance(groups, str) else groups
    for name in names:
        if not _named(name):
            raise UsageError(f"a group needs a name, not {name!r}")
    return (*EVERYONE, *sorted(_names(names)))


def opens(keys: Keys, access: Sequence[str] | None) -> bool:
    """Whether the keys open what has such a list."""
    return keys is None or not set(keys).isdisjoint(held(access))


def shared(groups: Sequence[str], others: Sequence[str]) -> Groups:
    """The groups that both name."""
    return tuple(sorted(_names(groups) & _names(others)))


def _names(groups: Iterable[str]) -> set[str]:
    return {name.strip().encode("utf-8", "replace").decode() for name in groups} - {""}


def _named(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip()) and name.isprintable()
