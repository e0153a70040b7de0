"""Upkeep of the store while nothing else is to do: a source that is woken meanwhile is read, but waits to write."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final

from indexer.daemon.log import Log
from indexer.session import Session
from kb.errors import Interrupted

RESTED_S: Final = 1.0
"""Upkeep begins once nothing was published for so long."""
_LONG_S: Final = 1.0
"""Upkeep that takes longer is told of."""
_SHARE: Final = 0.1
"""Of the time, at most, goes into upkeep that need not be yet: where much is held it takes long, whatever is new."""


class Tending:
    """Moments are seconds of a clock that never steps."""

    def __init__(self, session: Session, threads: Executor, log: Log) -> None:
        self._session = session
        self._threads = threads
        self._log = log
        self._wanted = False
        self._last = self._rested_at = 0.0
        self._running: Future[None] | None = None

    def want(self, moment: float) -> None:
        """Something was published."""
        self._wanted = True
        self._last = moment

    def tend(self, moment: float, busy: Callable[[], bool]) -> None:
        """Begins where there is a need and time for it."""
        due = max(self._last + RESTED_S, self._rested_at)
        if self._wanted and not self.runs and moment > due and not busy():
            self._wanted = False
            self._running = self._threads.submit(self._upkeep)

    @property
    def runs(self) -> bool:
        return self._running is not None and not self._running.done()

    def _upkeep(self) -> None:
        began = time.monotonic()
        try:
            with self._session.turn():
                self._session.upkeep()
        except Interrupted:
            return
        except Exception as error:
            self._log.error("upkeep failed", error=str(error))
        ended = time.monotonic()
        took_s = ended - began
        self._rested_at = ended + took_s * (1 / _SHARE - 1)
        if took_s > _LONG_S:
            self._log.info("upkeep", seconds=round(took_s, 3))
