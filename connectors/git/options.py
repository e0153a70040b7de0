"""What a git source is told: where the repository is, which commit to follow, what to select and how far back."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from connectors import options, patterns

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCHEMES = ("https", "http", "ssh", "git", "file")
_SCP = re.compile(r"[^/:\s]+:(?!:)\S")
_HELPER = re.compile(r"[A-Za-z0-9]+::")
_NO_REF = re.compile(r"^[-/]|\.\.|@\{|[\s:?*\[\\\x7f]|\.lock$|/$")


def location(value: object, base: Path) -> str:
    """A URL as it is, a local path made absolute. `HOST:PATH` is ssh, as for git; `./HOST:PATH` is a path."""
    given = options.text(value, base)
    if given.startswith("-"):
        raise ValueError("must not begin with `-`")
    if _HELPER.match(given):
        raise ValueError("must not name a remote helper (`NAME::…`)")
    if scheme := _SCHEME.match(given):
        if scheme.group(1).lower() not in _SCHEMES:
            raise ValueError(f"must be a path or a URL that begins with one of {', '.join(_SCHEMES)}")
        return given
    return given if _SCP.match(given) else str(options.path(given, base))


def reference(value: object, base: Path) -> str:
    given = options.text(value, base)
    if _NO_REF.search(given):
        raise ValueError(f"cannot be `{given}`, which names no branch, tag or commit")
    return given


def depth(value: object, base: Path) -> str:
    """`tip`, `all` or `since:REV`."""
    given = options.text(value, base)
    if given.startswith("since:") and reference(given.removeprefix("since:"), base):
        return given
    if given not in ("tip", "all"):
        raise ValueError(f"cannot be `{given}`; it is tip, all or since:REV")
    return given


@dataclass(frozen=True, slots=True)
class GitOptions:
    """`url` is a repository's directory, a URL or a bundle file; without `ref` its HEAD is followed."""

    url: Annotated[str, location]
    ref: Annotated[str | None, reference] = None
    include: Annotated[tuple[str, ...], patterns.including] = ()
    exclude: Annotated[tuple[str, ...], patterns.split] = ()
    history: Annotated[str, depth] = "tip"

    @property
    def since(self) -> str | None:
        return self.history.removeprefix("since:") if self.history.startswith("since:") else None

    @property
    def path(self) -> Path | None:
        """The local path, None for a URL."""
        return Path(self.url) if self.url.startswith("/") else None
