"""A home that cannot be written: what the system, LanceDB and SQLite say of that, told as one error with its remedy."""

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kb.errors import Unwritable

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_LANCE: Final = re.compile(r"\(os error (\d+)\)")
"""LanceDB raises errors of several kinds; all carry the system's number."""
_FULL: Final = 2**16
"""SQLite asks for 32 KiB of shared memory at once, and says of a disk without them only that it fails."""


@contextmanager
def writes(place: Path) -> Iterator[None]:
    """What stops the block from writing there is raised as Unwritable; any other error goes on as it is."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        found = unwritable(error, place)
        if found is None:
            raise
        raise found from error


def unwritable(error: BaseException, place: Path) -> Unwritable | None:
    """The error as one of writing at the place, if it is one of writing at all, and not elsewhere."""
    if isinstance(error, sqlite3.Error):
        number = _of_sqlite(error, place)
    elif isinstance(error, OSError) and error.errno is not None:
        number = error.errno if _within(error.filename, place) else None
    else:
        said = _LANCE.search(str(error))
        number = int(said[1]) if said else None
    if number in _NO_ROOM:
        return Unwritable(
            f"no room is left on the disk of {place}: make room, then do it again; what is published holds"
        )
    if number in _NOT_ALLOWED:
        why = "its file system is read-only" if number == errno.EROFS else "permission denied"
        return Unwritable(
            f"{place} cannot be written: {why}; make it writable, then do it again; what is published holds"
        )
    return None


def _of_sqlite(error: sqlite3.Error, place: Path) -> int | None:
    kind = getattr(error, "sqlite_errorname", "")
    if kind == "SQLITE_FULL":
        return errno.ENOSPC
    if kind.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return errno.EACCES
    if not place.is_dir() or not kind.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return None
    if shutil.disk_usage(place).free < _FULL:
        return errno.ENOSPC
    return None if os.access(place, os.W_OK, effective_ids=True) else errno.EACCES


def _within(filename: object, place: Path) -> bool:
    """Whether the file is the home's own; an error that names none comes from a file that was open."""
    return filename is None or Path(str(filename)).absolute().is_relative_to(place.absolute())
