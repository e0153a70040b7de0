"""The connector for a folder: every file beneath it that the patterns select."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from connectors import options, patterns
from connectors.folder import reading, scan
from connectors.folder.watch import Concern
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from connectors.uri import path_of
from connectors.watching import Place, Watch
from kb.errors import DocumentUnavailable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """`path` is the folder; `include` and `exclude` are gitignore patterns."""

    path: Annotated[Path, options.path]
    include: Annotated[tuple[str, ...], patterns.including] = ()
    exclude: Annotated[tuple[str, ...], patterns.split] = ()


class FolderConnector:
    """Lists by size, times and inode; URIs are paths relative to the folder.

    Left out: version control's own directories, knowledge bases' homes, links to directories or out of the folder,
    and what is not a plain file. A link to a file within the folder is a document of its own.
    """

    options_type: ClassVar[type[FolderOptions]] = FolderOptions

    def __init__(
        self,
        options: FolderOptions,
        *,
        workspace: Path,
        max_bytes: int = MAX_BYTES,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._root = options.path
        self._selection = patterns.select(options.include, options.exclude)
        self._max_bytes = max_bytes
        self._clock_ns = clock_ns

    def poll(self, checkpoint: str | None) -> Listing:
        """Always the whole folder, whatever the checkpoint; a folder has no cursor."""
        # The clock is read first: what is edited during the scan counts as fresh, never as settled.
        entries, skipped = scan.scan(self._root, self._selection, now_ns=self._clock_ns())
        return Listing(entries, checkpoint="", skipped=skipped)

    def watch(self, wake: Callable[[], None]) -> Watch:
        """Wakes for whatever a scan would look at. Raises SourceUnavailable."""
        scan.check_root(self._root)
        return Watch([Place(self._root)], Concern(self._root, self._selection), wake)

    def fetch(self, entry: Entry) -> Fetched:
        """`modified_at` is the file's modification time."""
        try:
            content = reading.read(os.fspath(self._root), os.fsdecode(path_of(entry.uri)), self._max_bytes)
        except DocumentUnavailable:
            # With the folder itself gone nothing can be said of its documents.
            scan.check_root(self._root)
            raise
        return Fetched(content.content, modified_at=_moment(content.modified_ns))


def _moment(nanoseconds: int) -> datetime | None:
    """None for a time that no calendar has: file systems store any number."""
    try:
        # In integers: floating point would blur the microseconds.
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None
