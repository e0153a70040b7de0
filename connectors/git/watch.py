"""Where a repository shows that a branch moved: its references, and the files that stand in for them."""

import os
from collections.abc import Callable
from pathlib import Path

from connectors.git.options import GitOptions
from connectors.protocol import Closeable
from connectors.watching import Place, Watch

_TELLING = ("HEAD", "packed-refs", "refs")


class Unwatched:
    """Nothing to be told by."""

    def close(self) -> None: ...


def watch(options: GitOptions, wake: Callable[[], None]) -> Closeable:
    """Watches a local repository or bundle; nothing for a URL. Raises SourceUnavailable."""
    path = options.path
    if path is None or not path.exists():
        return Unwatched()
    if path.is_file():
        return Watch([Place(path.parent, recursive=False)], lambda name, _: name == str(path), wake)
    directory = _git_directory(path)
    places = [Place(directory, recursive=False), Place(directory / "refs")]
    return Watch([place for place in places if place.path.is_dir()], lambda name, _: _tells(directory, name), wake)


def _tells(directory: Path, name: str) -> bool:
    # Git writes beside a file and moves it into place.
    return not name.endswith(".lock") and os.path.relpath(name, directory).split(os.sep)[0] in _TELLING


def _git_directory(path: Path) -> Path:
    """A work tree's `.git`, also where that is a file that names another place; a bare repository itself."""
    inner = path / ".git"
    if inner.is_file():
        named = path / inner.read_text("utf-8", "surrogateescape").strip().removeprefix("gitdir: ")
        common = named / "commondir"
        return (named / common.read_text("utf-8").strip()).resolve() if common.is_file() else named
    return inner if inner.is_dir() else path
