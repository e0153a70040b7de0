"""What of a folder is never read, whatever the patterns say: what leads out of it, and what others keep in it."""

import errno
import os
import stat as modes
from collections.abc import Collection

from kb.home import CATALOG

VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})


def is_home(name: str, names: Collection[str]) -> bool:
    """Whether a directory of that name and with these names in it is a knowledge base's home."""
    return name == ".kb" or CATALOG in names


def target_within(root: str, link: str) -> str | None:
    """The path, relative to the root, of the file that a symbolic link leads to; None where it may not be read.

    Raises OSError where it cannot be told: a target that cannot be looked at is not a target that is gone.
    """
    real_root = os.path.realpath(root)
    target = os.path.realpath(link)
    relative = os.path.relpath(target, real_root)
    parts = relative.split(os.sep)
    if parts[0] == os.pardir or VERSION_CONTROL.intersection(parts) or not _is_file(target):
        return None
    return None if in_home(real_root, parts[:-1]) else relative


def _is_file(path: str) -> bool:
    try:
        return modes.S_ISREG(os.lstat(path).st_mode)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return False
        raise


def in_home(root: str, directories: list[str]) -> bool:
    """Whether a knowledge base's home is among the directories on the way down from the root."""
    for depth, name in enumerate(directories, 1):
        directory = os.path.join(root, *directories[:depth])
        if name == ".kb" or os.path.exists(os.path.join(directory, CATALOG)):
            return True
    return False
