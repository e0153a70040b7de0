"""Reading one file beneath a root and never anything else: no way out by `..` or a link, no pipe, no half-written file.

Each directory on the way is opened from the one above it and no link is followed, so that a path cannot be exchanged
for another between a check and its use.
"""

import errno
import os
import stat as modes
from contextlib import ExitStack, closing
from dataclasses import dataclass

from connectors.folder.bounds import target_within
from connectors.uri import escaped
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError

_ATTEMPTS = 4
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes as they were at one moment, and when they were last modified."""

    content: bytes
    modified_ns: int


def read(root: str, relative: str, max_bytes: int) -> Content:
    """Raises DocumentGone, DocumentUnavailable, or ExtractionError for what is too large."""
    shown = escaped(relative)
    if "\0" in relative or any(part in ("", ".", "..") for part in relative.split("/")):
        raise DocumentUnavailable(f"{shown} is not a path within the folder {escaped(root)}")
    try:
        return _read_still(root, _without_link(root, relative), shown, max_bytes)
    except OSError as error:
        raise _unavailable(shown, error) from error


def _without_link(root: str, relative: str) -> str:
    path = os.path.join(root, relative)
    if not os.path.islink(path):
        return relative
    target = target_within(root, path)
    if target is None:
        raise DocumentUnavailable(f"{escaped(relative)} is a link to what is not a file of the folder {escaped(root)}")
    return target


def _read_still(root: str, relative: str, shown: str, max_bytes: int) -> Content:
    for _ in range(_ATTEMPTS):
        with ExitStack() as stack:
            content = _read_once(_open(stack, root, relative, shown), shown, max_bytes)
        if content is not None:
            return content
    raise DocumentUnavailable(f"{shown} keeps changing while it is read; it is tried again at the next sync")


def _open(stack: ExitStack, root: str, relative: str, shown: str) -> int:
    *directories, name = relative.split("/")
    at = _kept(stack, os.open(root, _DIRECTORY & ~os.O_NOFOLLOW))
    for directory in directories:
        at = _kept(stack, os.open(directory, _DIRECTORY, dir_fd=at))
    # Looked at before it is opened: opening alone can wake the other end of a pipe or rewind a device.
    _require_file(os.stat(name, dir_fd=at, follow_symlinks=False), shown)
    return _kept(stack, os.open(name, _FILE, dir_fd=at))


def _read_once(descriptor: int, shown: str, max_bytes: int) -> Content | None:
    """None where the file changed meanwhile."""
    before = os.fstat(descriptor)
    _require_file(before, shown)
    if before.st_size > max_bytes:
        raise ExtractionError("too large", f"{shown} has {before.st_size:,} bytes, more than the {max_bytes:,} allowed")
    with closing(os.fdopen(descriptor, "rb", buffering=0, closefd=False)) as file:
        content = file.read(before.st_size + 1)
        while content and len(content) < before.st_size and (more := file.read(before.st_size + 1 - len(content))):
            content += more
    same = len(content) == before.st_size and _facts(os.fstat(descriptor)) == _facts(before)
    return Content(content, before.st_mtime_ns) if same else None


def _facts(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _require_file(stat: os.stat_result, shown: str) -> None:
    if not modes.S_ISREG(stat.st_mode):
        raise DocumentUnavailable(f"{shown} is no longer a plain file")


def _kept(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _unavailable(shown: str, error: OSError) -> DocumentUnavailable:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return DocumentGone(f"{shown} is no longer there")
    remedy = "; grant read permission" if isinstance(error, PermissionError) else ""
    return DocumentUnavailable(f"{shown} cannot be read: {error.strerror or error}{remedy}")
