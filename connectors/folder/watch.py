"""What in a folder is worth a wake: all that a scan would look at, and nothing else."""

import os
from pathlib import Path

from connectors.folder.bounds import VERSION_CONTROL, in_home
from connectors.patterns import Selection
from connectors.uri import escaped


class Concern:
    """Whether a path within the folder matters. A home must not, or each sync would bring about the next."""

    def __init__(self, root: Path, selection: Selection) -> None:
        self._root = os.fspath(root)
        self._selection = selection

    def __call__(self, path: str, is_directory: bool) -> bool:
        relative = os.path.relpath(path, self._root)
        parts = relative.split(os.sep)
        if parts[0] == os.pardir or VERSION_CONTROL.intersection(parts):
            return False
        above = parts if is_directory else parts[:-1]
        if in_home(self._root, above) or any(self._prunes(above[:depth]) for depth in range(1, len(above) + 1)):
            return False
        return is_directory or self._selection.selects(escaped("/".join(parts)))

    def _prunes(self, parts: list[str]) -> bool:
        return self._selection.prunes(escaped("/".join(parts)))
