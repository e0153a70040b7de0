"""The verbs that write, as `kb.open()` offers them; the indexer provides them through the entry point `kb.writer`."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

from kb.answers import Finding
from kb.errors import KBError
from kb.home import Home
from kb.nouns import DocumentVersion, Snapshot, Source
from kb.pushing import Change, Receipt
from kb.retention import Policy


class Writer(Protocol):
    """What changes a knowledge base's sources and content."""

    def add_source(self, name: str, kind: str, options: Mapping[str, Any], **settings: str | None) -> Source: ...

    def remove_source(self, name: str, *, purge: bool = False) -> Snapshot | None: ...

    def push(self, name: str, changes: Iterable[Change], *, key: str | None = None) -> Receipt: ...

    def plan(self, names: Sequence[str] = ()) -> Any: ...

    def compare_sources(self, versions: Sequence[DocumentVersion]) -> Sequence[Finding]: ...

    def sync(self, names: Sequence[str] = (), *, message: str | None = None, allow_deletes: bool = False) -> Any: ...

    def retain(self, policy: Policy, *, dry_run: bool = False) -> Any: ...


def writer(home: Home) -> Writer:
    """The installed writer for a home."""
    found = entry_points(group="kb.writer")
    if not found:
        raise KBError("nothing that can write is installed: reinstall palimpsest")
    built: Writer = next(iter(found)).load()(home)
    return built
