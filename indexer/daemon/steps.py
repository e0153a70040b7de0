"""Whether the clock that people set was set, beside the one that never steps."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

_LEAST_S: Final = 30.0
"""Less is the clock being brought right little by little."""


class ClockSteps:
    def __init__(self, present: Callable[[], datetime]) -> None:
        self._present = present
        self._gap_s = self._measured_s()

    def last_s(self) -> float | None:
        """By how many seconds the clock was set since the last call; None where it was not."""
        before, self._gap_s = self._gap_s, self._measured_s()
        step_s = self._gap_s - before
        return step_s if abs(step_s) > _LEAST_S else None

    def _measured_s(self) -> float:
        return self._present().timestamp() - time.monotonic()
