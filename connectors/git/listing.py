"""Which nodes of a tree are a source's documents, and what a commit changed about them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.git.log import Change, Node
from connectors.git.objects import Objects
from connectors.patterns import Selection
from connectors.protocol import Entry
from connectors.uri import uri_of

_OTHERS = {"120000": "symlink", "160000": "submodule"}


@dataclass(frozen=True, slots=True)
class Sifted:
    """The documents among some nodes, in order of their URIs, and counts of what they were instead."""

    entries: tuple[Entry, ...]
    skipped: dict[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a commit did to the documents."""

    entries: tuple[Entry, ...]
    removed: frozenset[str]
    skipped: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.entries or self.removed)


def sift(nodes: Iterable[Node], commit: str, selection: Selection, objects: Objects) -> Sifted:
    selected = [(uri, node) for node in nodes if selection.selects(uri := uri_of(node.path))]
    files = [(uri, node) for uri, node in selected if node.mode not in _OTHERS]
    skipped = Counter(_OTHERS[node.mode] for _, node in selected if node.mode in _OTHERS)
    pointers = objects.pointers([node.id for _, node in files])
    skipped.update("LFS pointer" for _, node in files if node.id in pointers)
    entries = (Entry(uri, f"{node.id} {node.mode}", commit) for uri, node in files if node.id not in pointers)
    return Sifted(tuple(sorted(entries, key=lambda entry: entry.uri)), dict(skipped))


def difference(changes: Sequence[Change], commit: str, selection: Selection, objects: Objects) -> Difference:
    """A document that became something else is removed, as one that was deleted is."""
    after = sift((change.after for change in changes if change.after), commit, selection, objects)
    kept = {entry.uri for entry in after.entries}
    lost = [change.before for change in changes if change.before and uri_of(change.before.path) not in kept]
    before = sift(lost, commit, selection, objects)
    return Difference(after.entries, frozenset(entry.uri for entry in before.entries), after.skipped)
