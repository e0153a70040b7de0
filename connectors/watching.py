"""Watching directories: whoever reads one is woken when something in it may have changed. The one door to watchdog."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchdog import events
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from connectors.uri import escaped
from kb.errors import SourceUnavailable

STORM: Final = 1_000
"""Events in a row after which some may have been lost: then there is one more wake, once it is quiet."""
_QUIET_S: Final = 2.0
_CHANGES: Final = [
    events.FileCreatedEvent,
    events.FileModifiedEvent,
    events.FileClosedEvent,
    events.FileDeletedEvent,
    events.FileMovedEvent,
    events.FileAttribEvent,
    events.DirCreatedEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
    events.DirAttribEvent,
]
"""All but what reading causes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that is watched, alone or with all beneath it."""

    path: Path
    recursive: bool = True


class Watch(FileSystemEventHandler):
    """Wakes from a thread of its own until it is closed. For Linux, by inotify; elsewhere by what the system has.

    A directory that is replaced as a whole, as by a link that is turned to another, is watched anew: its parent tells.
    """

    def __init__(
        self, places: Iterable[Place], concerns: Callable[[str, bool], bool], wake: Callable[[], None]
    ) -> None:
        """`concerns` says of a path, and whether it is a directory's, if it matters. Raises SourceUnavailable."""
        # It tells people of overflows, which cost nothing here but a later scan.
        logging.getLogger("watchdog").setLevel(logging.ERROR)
        self._concerns = concerns
        self._wake = wake
        self._observer: BaseObserver = Observer()
        self._watched: dict[Place, tuple[str, ObservedWatch]] = {}
        self._events = 0
        self._calm: threading.Timer | None = None
        try:
            for place in places:
                self._watch(place)
                self._watch_parent(place)
            self._observer.start()
        except OSError as error:
            self.close()
            raise SourceUnavailable(f"{escaped(str(place.path))} cannot be watched: {_reason(error)}") from error

    def close(self) -> None:
        if self._calm is not None:
            self._calm.cancel()
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def dispatch(self, event: FileSystemEvent) -> None:
        """What watchdog calls for everything that happens."""
        paths = [self._named(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        replaced = [place for place in self._watched if str(place.path) in paths]
        for place in replaced:
            self._watch_again(place)
        if replaced or any(self._concerns(path, event.is_directory) for path in paths):
            self._events += 1
            self._wake()
            if self._events == STORM:
                self._wake_when_quiet()

    def _named(self, path: str) -> str:
        """The path as it is beneath the place that was asked for, where that is reached by links."""
        for place, (real, _) in self._watched.items():
            if path == real or path.startswith(real + os.sep):
                return str(place.path) + path[len(real) :]
        return path

    def _wake_when_quiet(self) -> None:
        """What was lost among many events is found by looking once more when they have ended."""

        def look() -> None:
            before, self._events = self._events, 0
            self._wake()
            if before > STORM:
                self._wake_when_quiet()

        self._calm = threading.Timer(_QUIET_S, look)
        self._calm.daemon = True
        self._calm.start()

    def _watch(self, place: Place) -> None:
        # The system follows no link here.
        path, recursive = os.path.realpath(place.path), place.recursive
        watched = self._observer.schedule(self, path, recursive=recursive, event_filter=_CHANGES)
        self._watched[place] = (path, watched)

    def _watch_parent(self, place: Place) -> None:
        try:
            self._observer.schedule(_Named(self, place.path), str(place.path.parent), event_filter=_CHANGES)
        except OSError:
            # Whoever may not look there is told by the next poll.
            return

    def _watch_again(self, place: Place) -> None:
        with contextlib.suppress(KeyError):
            self._observer.unschedule(self._watched[place][1])
        try:
            self._watch(place)
        except OSError:
            # It is not there now; its parent tells when it comes back.
            return


class _Named(FileSystemEventHandler):
    """Passes on what happens to one name in a directory."""

    def __init__(self, watch: Watch, path: Path) -> None:
        self._watch = watch
        self._path = str(path)

    def dispatch(self, event: FileSystemEvent) -> None:
        if self._path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            self._watch.dispatch(event)


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    # The system's words for running out of watches are those for a full disk.
    if "inotify" in reason or "space" in reason:
        return f"{reason}; raise fs.inotify.max_user_watches"
    return reason
