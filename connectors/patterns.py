"""Which documents a source takes in: those that `include` selects and `exclude` does not, in gitignore's patterns.

Patterns are matched with documents' URIs. Without `include` everything is selected.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from kb.digest import digest

_SEPARATOR = re.compile(r"(?<!\\),|\n")


@dataclass(frozen=True, slots=True)
class Selection:
    """Both lists of patterns, compiled; None where there is nothing to match."""

    include: GitIgnoreSpec | None
    exclude: GitIgnoreSpec | None
    prunable: bool
    """Whether nothing beneath an excluded directory can be selected again."""
    digest: str
    """Of the patterns: a listing made under other patterns tells nothing of what these select."""

    def selects(self, uri: str) -> bool:
        if self.include is not None and not self.include.match_file(uri):
            return False
        return self.exclude is None or not self.exclude.match_file(uri)

    def prunes(self, directory: str) -> bool:
        """Whether all that lies in the directory is excluded, so that it need not be read."""
        return self.prunable and self.exclude is not None and self.exclude.match_file(directory + "/")


def select(include: Sequence[str], exclude: Sequence[str]) -> Selection:
    """Raises ValueError for a pattern that gitignore has no meaning for."""
    return Selection(
        include=GitIgnoreSpec.from_lines(include) if include else None,
        exclude=GitIgnoreSpec.from_lines(exclude) if exclude else None,
        prunable=not any(pattern.startswith("!") for pattern in exclude),
        digest=digest("selection", list(include), list(exclude))[:12],
    )


def split(value: object, base: Path) -> tuple[str, ...]:
    """Patterns as text, parted by commas or line ends (`\\,` is a comma), or as a list of them. Raises ValueError."""
    if isinstance(value, str):
        patterns: Iterable[object] = (pattern.strip() for pattern in _SEPARATOR.split(value))
    elif isinstance(value, list | tuple):
        patterns = value
    else:
        raise ValueError("must be gitignore patterns: a list, or text with commas between them")
    return tuple(_checked(pattern) for pattern in patterns if pattern != "")


def including(value: object, base: Path) -> tuple[str, ...]:
    """Patterns for `include`. Raises ValueError where they could never select anything."""
    patterns = split(value, base)
    if patterns and all(pattern.startswith(("!", "#")) for pattern in patterns):
        raise ValueError("selects nothing; what is to be left out belongs into `exclude`")
    return patterns


def _checked(pattern: object) -> str:
    if not isinstance(pattern, str):
        raise ValueError(f"holds {pattern!r}, which is not a pattern")
    try:
        GitIgnoreSpec.from_lines([pattern])
        pattern.encode("utf-8")
    except ValueError as error:
        raise ValueError(f"holds {pattern!r}, which is not a gitignore pattern") from error
    return pattern
