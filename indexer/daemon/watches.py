"""The watches of all sources that can tell by themselves when to look at them."""

import threading
from collections.abc import Callable, Collection

from connectors.protocol import Closeable, Connector, Watching
from indexer.daemon.log import Log
from kb.errors import KBError
from kb.nouns import Source


class Watches:
    """For any number of threads, each with a source of its own."""

    def __init__(self, wake: Callable[[str], None], log: Log) -> None:
        self._wake = wake
        self._log = log
        self._open: dict[str, tuple[Source, Closeable]] = {}
        self._changing = threading.Lock()

    def follow(self, source: Source, connector: Connector) -> None:
        """Watches from now on, where the connector can and nothing watches yet; else the schedule alone wakes."""
        name, before = source.name, self._open.get(source.name)
        if before is not None and before[0] == source:
            return
        # A look that was under way when the source was changed may have opened a watch on what it was before.
        self.forget([name])
        if not isinstance(connector, Watching):
            return
        try:
            watch = connector.watch(lambda: self._wake(name))
        except KBError as error:
            self._log.warning("not watched", source=name, reason=str(error))
            return
        with self._changing:
            self._open[name] = source, watch

    def forget(self, names: Collection[str]) -> None:
        for name in names:
            with self._changing:
                found = self._open.pop(name, None)
            if found is not None:
                found[1].close()

    def close(self) -> None:
        self.forget(list(self._open))
