"""A limit to how long one call of a driver may take, whatever limits the driver and the server know themselves."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class TimeLimit:
    """Ends what the watched connection waits for when a call takes too long; `passed` tells that it did."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._connection: Any = None
        self.passed = False

    def watch(self, connection: Any) -> None:
        """The driver's own connection."""
        self._connection = connection

    @contextmanager
    def over(self) -> Iterator[None]:
        """Within it at most so long may pass."""
        timer = threading.Timer(self._timeout_s, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            # It may be at work this moment, and the next call must not be what it ends.
            timer.join()

    def _end(self) -> None:
        self.passed = True
        # A connection that cannot be ended has ended.
        with suppress(Exception):
            if hasattr(self._connection, "interrupt"):
                self._connection.interrupt()
            else:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as end:
                    end.shutdown(socket.SHUT_RDWR)
