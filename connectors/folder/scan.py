"""A complete scan of a directory tree: all that it holds at one moment, or SourceUnavailable.

A file that is renamed while the tree is walked can be missed in both places. So each directory's own modification time
is taken before it is read and compared after the walk; those that changed are read again until all stand still.
"""

import os
import stat as modes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.folder.bounds import VERSION_CONTROL, is_home, target_within
from connectors.patterns import Selection
from connectors.protocol import Entry
from connectors.uri import escaped
from kb.errors import SourceUnavailable

SETTLED_NS = 2 * 10**9
"""An edit this soon after another may hide behind the same time stamp."""

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory's own content. `signature` is None where it changed while it was read."""

    signature: tuple[int, int, int] | None
    entries: tuple[Entry, ...] = ()
    directories: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan's terms: where, what, and when. Times are nanoseconds since the epoch."""

    root: str
    selection: Selection
    now_ns: int


def scan(root: Path, selection: Selection, now_ns: int) -> tuple[tuple[Entry, ...], dict[str, int]]:
    """Entries in order of their URIs, and counts of what was left out. Raises SourceUnavailable."""
    check_root(root)
    terms = Scan(os.fspath(root), selection, now_ns)
    found: dict[str, Directory] = {}
    _read(terms, {""}, found)
    for _ in range(_ROUNDS):
        moved = _moved(terms, found)
        if not moved:
            return _gathered(found)
        check_root(root)
        _read(terms, moved, found)
    raise SourceUnavailable(f"folder {escaped(str(root))} keeps changing while it is scanned; try again when it rests")


def check_root(root: Path) -> None:
    """Raises SourceUnavailable where the folder as a whole cannot be a source now."""
    shown = escaped(str(root))
    try:
        if not modes.S_ISDIR(os.stat(root).st_mode):
            raise SourceUnavailable(f"{shown} is not a folder; change the source's path")
        names = os.listdir(root)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceUnavailable(f"folder {shown} is not there; restore or mount it, or change the path") from error
    except OSError as error:
        raise _unreadable(str(root), error) from error
    if is_home(root.name, names):
        raise SourceUnavailable(f"folder {shown} is a knowledge base's own home; change the source's path")


def _read(terms: Scan, paths: set[str], found: dict[str, Directory]) -> None:
    """Reads these directories and whatever is newly found beneath them."""
    stack = list(paths)
    while stack:
        path = stack.pop()
        found[path] = directory = _directory(terms, path)
        stack.extend(below for below in directory.directories if below not in found)


def _moved(terms: Scan, found: dict[str, Directory]) -> set[str]:
    """The directories that are no longer as they were read; of one that went, its parent too."""
    moved = set()
    for path in _reachable(found):
        signature = _signature(terms, path)
        if signature is None or found[path].signature is None:
            moved |= {path, path.rpartition("/")[0]}
        elif signature != found[path].signature:
            moved.add(path)
    return moved


def _directory(terms: Scan, path: str) -> Directory:
    signature = _signature(terms, path)
    try:
        with os.scandir(_full(terms, path)) as listing:
            children = list(listing)
        if path and is_home(os.path.basename(path), {child.name for child in children}):
            return Directory(signature, skipped=("knowledge base",))
        return _sorted_out(terms, path, signature, children)
    except (FileNotFoundError, NotADirectoryError):
        return Directory(None)
    except OSError as error:
        raise _unreadable(error.filename or _full(terms, path), error) from error


def _sorted_out(
    terms: Scan, path: str, signature: tuple[int, int, int] | None, children: list[os.DirEntry[str]]
) -> Directory:
    entries, directories, skipped = [], [], []
    for child in children:
        if child.name in VERSION_CONTROL:
            continue
        relative = f"{path}/{child.name}" if path else child.name
        uri = escaped(relative)
        if child.is_dir(follow_symlinks=False):
            if not terms.selection.prunes(uri):
                directories.append(relative)
        elif terms.selection.selects(uri):
            kept = _entry(terms, uri, child)
            if isinstance(kept, Entry):
                entries.append(kept)
            else:
                skipped.append(kept)
    return Directory(signature, tuple(entries), tuple(directories), tuple(skipped))


def _entry(terms: Scan, uri: str, child: os.DirEntry[str]) -> Entry | str:
    """The file's entry, or the word for what it is instead of a file."""
    if child.is_symlink():
        if target_within(terms.root, child.path) is None:
            return "symlink"
        return Entry(uri, _stamp(child.stat(), terms.now_ns))
    if not child.is_file(follow_symlinks=False):
        return "special file"
    return Entry(uri, _stamp(child.stat(follow_symlinks=False), terms.now_ns))


def _stamp(stat: os.stat_result, now_ns: int) -> str:
    """Size, times and inode. What was touched just now carries the moment too, and so never equals the next stamp."""
    stamp = f"{stat.st_size:x}-{stat.st_mtime_ns:x}-{stat.st_ctime_ns:x}-{stat.st_ino:x}"
    # A modification time can be set to any year; the change time tells when that was done.
    fresh = abs(now_ns - stat.st_mtime_ns) < SETTLED_NS or now_ns - stat.st_ctime_ns < SETTLED_NS
    return f"{stamp}~{now_ns:x}" if fresh else stamp


def _signature(terms: Scan, path: str) -> tuple[int, int, int] | None:
    try:
        stat = os.stat(_full(terms, path), follow_symlinks=not path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns


def _gathered(found: dict[str, Directory]) -> tuple[tuple[Entry, ...], dict[str, int]]:
    """From the root down, so that what hung below a vanished directory is not counted."""
    entries: list[Entry] = []
    skipped: Counter[str] = Counter()
    for path in _reachable(found):
        entries.extend(found[path].entries)
        skipped.update(found[path].skipped)
    return tuple(sorted(entries, key=lambda entry: entry.uri)), dict(skipped)


def _reachable(found: dict[str, Directory]) -> Iterator[str]:
    stack = [""]
    while stack:
        path = stack.pop()
        yield path
        stack.extend(found[path].directories)


def _full(terms: Scan, path: str) -> str:
    return os.path.join(terms.root, path) if path else terms.root


def _unreadable(path: str, error: OSError) -> SourceUnavailable:
    remedy = (
        "grant read permission, or leave it out by `exclude`" if isinstance(error, PermissionError) else "try again"
    )
    return SourceUnavailable(f"{escaped(path)} cannot be read: {error.strerror or error}; {remedy}")
