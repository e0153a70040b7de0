"""What the daemon says, line by line, and waiting for a line."""

import io
import json
import threading
import time
from typing import Any, Final

PATIENCE_S: Final = 60.0
"""How long is waited for what must come: far longer than it takes."""


class Told(io.StringIO):
    """The daemon's log, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self._taken = 0
        self._more = threading.Condition()

    def write(self, text: str) -> int:
        with self._more:
            self.lines += [json.loads(line) for line in text.splitlines() if line]
            self._more.notify_all()
        return super().write(text)

    def await_line(self, event: str, **facts: Any) -> dict[str, Any]:
        """The first such line after the one that was last waited for."""
        deadline = time.monotonic() + PATIENCE_S
        with self._more:
            while True:
                for place in range(self._taken, len(self.lines)):
                    line = self.lines[place]
                    if line["event"] == event and facts.items() <= line.items():
                        self._taken = place + 1
                        return line
                if not self._more.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {event!r} with {facts} among {self.lines}")

    def begin_anew(self) -> None:
        """What was said already counts again."""
        self._taken = 0

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]
