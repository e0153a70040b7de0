"""A stopwatch that tells how long each step of some work took."""

import time
from collections.abc import Callable


class Stopwatch:
    """Runs from when it is made; `laps` are milliseconds by step, in the order in which the steps first ended."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._began = self._last = clock()
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """What passed since the last lap counts for the step, beside what it took before."""
        moment = self._clock()
        self._laps[step] = self._laps.get(step, 0.0) + (moment - self._last) * 1000
        self._last = moment

    @property
    def laps(self) -> dict[str, float]:
        return {step: round(took, 3) for step, took in self._laps.items()}

    @property
    def total_ms(self) -> float:
        """From the beginning to the last lap."""
        return round((self._last - self._began) * 1000, 3)
