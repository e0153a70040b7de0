"""The connector for what is pushed: it lists and reads the source's spool."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from connectors import options
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from connectors.push.spool import Spool
from connectors.watching import Place, Watch
from kb.errors import SourceUnavailable

KIND = "push"

_NAME = re.compile(r"[0-9a-f]{32}")


def spool_name(value: object, base: Path) -> str:
    given = options.text(value, base)
    if not _NAME.fullmatch(given):
        raise ValueError("is made up when the source is added; leave it out")
    return given


def spool_path(workspace: Path, name: str) -> Path:
    return workspace / KIND / name


@dataclass(frozen=True, slots=True)
class PushOptions:
    """`spool` names the source's own spool."""

    spool: Annotated[str, spool_name] = ""


class PushConnector:
    """Stamps begin with the number of a document's last change; its revision is that number.

    A document that changes between listing and reading is read as it is by then, and again after the next poll.
    """

    options_type: ClassVar[type[PushOptions]] = PushOptions

    def __init__(self, options: PushOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._named = bool(options.spool)
        self._spool = Spool(spool_path(workspace, options.spool), max_bytes)

    def poll(self, checkpoint: str | None) -> Listing:
        """Always all that is held; the revision is the number of the newest change, the time is its moment."""
        if not self._named:
            raise SourceUnavailable("the push source has no spool; remove the source and add it again")
        held = self._spool.held()
        entries = tuple(Entry(uri, stamp) for uri, stamp in held.stamps.items())
        revision = str(held.sequence) if held.sequence else None
        return Listing(entries, checkpoint="", revision=revision, time=held.changed_at)

    def watch(self, wake: Callable[[], None]) -> Watch:
        """Wakes after every push."""
        bell = self._spool.bell
        return Watch([Place(bell.parent, recursive=False)], lambda path, _: path == str(bell), wake)

    def fetch(self, entry: Entry) -> Fetched:
        return self._spool.read(entry.uri)
