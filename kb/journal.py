"""The writer of the request log: a search is logged before its answer goes out, and never fails because of that.

A line is written whole, in a transaction of its own or of those who came meanwhile. It is given to the operating system
before the reply, so that no kill of a process takes it; the disk is not waited for, so that a power failure may take
the last ones. Where the catalog cannot be written for a moment (another writes long, the disk is full), lines wait in
memory for the next search; what then is too much, or is left at the end, is lost and counted.
"""

import time
from datetime import timedelta
from threading import Lock
from typing import Final

from kb.catalog import Catalog, requests
from kb.clock import now
from kb.errors import KBError
from kb.home import Home
from kb.requests import LoggedRequest

WAIT_MS: Final = 1_000
"""How long a search waits for another writer of the catalog."""
_REST_S: Final = 1.0
"""After a failure nobody tries for so long: else each of many searches would wait in turn."""
_MOST_WAITING: Final = 10_000
_PRUNE_EVERY_S: Final = 3_600.0


class Journal:
    """For any number of threads: one writes at a time, for all who came while the one before wrote."""

    def __init__(self, home: Home) -> None:
        self._catalog = Catalog(home.catalog_url, wait_ms=WAIT_MS, sync=False)
        self._retained = timedelta(days=home.config.log_retain_days)
        self._adding, self._writing = Lock(), Lock()
        self._waiting: list[LoggedRequest] = []
        self._rests_until = 0.0
        self._pruned_at = -_PRUNE_EVERY_S
        self._dropped = 0

    @property
    def lost(self) -> int:
        """Lines that are in no catalog: dropped, or still waiting."""
        with self._adding:
            return self._dropped + len(self._waiting)

    def keep(self, line: LoggedRequest) -> None:
        with self._adding:
            self._waiting.append(line)
        with self._writing:
            if time.monotonic() >= self._rests_until:
                self._flush()

    def close(self) -> None:
        with self._writing:
            self._flush()
        self._catalog.close()

    def _flush(self) -> None:
        with self._adding:
            lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            with self._catalog.writing() as connection:
                requests.add(connection, lines)
                if self._retained and time.monotonic() - self._pruned_at >= _PRUNE_EVERY_S:
                    requests.prune(connection, now() - self._retained)
                    self._pruned_at = time.monotonic()
        except KBError:
            # The answer is right whether or not it is noted; the count of those that are not is told.
            self._put_back(lines)

    def _put_back(self, lines: list[LoggedRequest]) -> None:
        self._rests_until = time.monotonic() + _REST_S
        with self._adding:
            waiting = [*lines, *self._waiting]
            self._waiting = waiting[-_MOST_WAITING:]
            self._dropped += len(waiting) - len(self._waiting)
