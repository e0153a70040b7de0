"""The first-parent line of commits, oldest first, each with what it changed; and a commit's whole tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.git.command import Git

_FORMAT = "--format=%x01%H %P%x02%ct%x02%s"
_LOG = (
    "log",
    "-z",
    "-m",
    "--first-parent",
    "--root",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--no-relative",
    "-O/dev/null",
)
_ABSENT = "000000"


@dataclass(frozen=True, slots=True)
class Commit:
    """`time` is when it was committed, not when it was written."""

    id: str
    parent: str | None
    time: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Node:
    """What a tree holds at a path: a mode as git writes it, and an object."""

    path: bytes
    mode: str
    id: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did at a path; None where there was or is nothing."""

    before: Node | None
    after: Node | None


def walk(git: Git, tip: str, after: str | None) -> Iterator[tuple[Commit, tuple[Change, ...]]]:
    """The commits that `after` does not contain, each with its changes against its first parent."""
    commit: Commit | None = None
    changes: list[Change] = []
    tokens = git.tokens(*_LOG, "--reverse", _FORMAT, tip, *([f"^{after}"] if after else []), "--")
    for token in tokens:
        line = token.lstrip(b"\n")
        if line.startswith(b":"):
            changes.append(_change(line.decode("ascii"), next(tokens)))
        elif line:
            if commit is not None:
                yield commit, tuple(changes)
            commit, changes = _commit(line), []
    if commit is not None:
        yield commit, tuple(changes)


def commit(git: Git, name: str) -> Commit:
    return _commit(git.run("log", "-1", "--no-patch", _FORMAT, name, "--").rstrip(b"\n"))


def tree(git: Git, name: str) -> Iterator[Node]:
    """All that the commit's tree holds, in its subtrees too."""
    for token in git.tokens("ls-tree", "-r", "-z", "--full-tree", name):
        facts, _, path = token.partition(b"\t")
        mode, _, object_id = facts.decode("ascii").split(" ")
        yield Node(path, mode, object_id)


def moment(seconds: str) -> datetime:
    """UTC; the epoch for a time that no calendar has, as git shows it."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _commit(line: bytes) -> Commit:
    ids, seconds, subject = line.decode("utf-8", "replace").removeprefix("\x01").split("\x02", 2)
    name, *parents = ids.split()
    return Commit(name, parents[0] if parents else None, moment(seconds), subject)


def _change(facts: str, path: bytes) -> Change:
    before_mode, after_mode, before, after, _ = facts.removeprefix(":").split(" ")
    return Change(_node(path, before_mode, before), _node(path, after_mode, after))


def _node(path: bytes, mode: str, object_id: str) -> Node | None:
    return None if mode == _ABSENT else Node(path, mode, object_id)
