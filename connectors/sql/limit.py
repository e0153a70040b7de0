"""A limit to how long one call of a driver may take, whatever limits the driver and the server know themselves."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LONGEST_STEP_S = 0.5


class TimeLimit:
    """Ends what the watched connection waits for when a call takes too long; `passed` tells that it did.

    A thread looks now and then, as long as there are calls: starting one for each would cost more than most calls.
    """

    def __init__(self, timeout_s: float) -> None:
        self.passed = False
        self._timeout_s = timeout_s
        self._step_s = min(timeout_s / 4, _LONGEST_STEP_S)
        self._connection: Any = None
        self._lock = threading.Lock()
        self._deadline_s: float | None = None
        self._used = False
        self._watched = False

    def watch(self, connection: Any) -> None:
        """The driver's own connection."""
        self._connection = connection

    @contextmanager
    def over(self) -> Iterator[None]:
        """Within it no more time may pass."""
        with self._lock:
            self._deadline_s = time.monotonic() + self._timeout_s
            self._used = True
            if not self._watched:
                threading.Thread(target=self._look_on, daemon=True).start()
                self._watched = True
        try:
            yield
        finally:
            with self._lock:
                self._deadline_s = None

    def _look_on(self) -> None:
        while self._look():
            time.sleep(self._step_s)

    def _look(self) -> bool:
        """Whether to look again: there was a call since the last look."""
        with self._lock:
            if self._deadline_s is not None and time.monotonic() > self._deadline_s:
                self._deadline_s = None
                self._end()
            self._watched = self._used or self._deadline_s is not None
            self._used = False
            return self._watched

    def _end(self) -> None:
        self.passed = True
        # A connection that cannot be ended has ended.
        with suppress(Exception):
            if hasattr(self._connection, "interrupt"):
                self._connection.interrupt()
            else:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as end:
                    end.shutdown(socket.SHUT_RDWR)
