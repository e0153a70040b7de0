"""How often a host is asked."""

from collections.abc import Callable


class Pace:
    """Lets requests to one host begin no closer together than the rate allows; hosts do not wait for each other."""

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval_s = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._last: dict[str, float] = {}

    def wait(self, host: str, least_s: float = 0.0) -> None:
        """Sleeps until the host may be asked again, `least_s` after the last time at the earliest."""
        if host in self._last:
            rest_s = self._last[host] + max(self._interval_s, least_s) - self._clock()
            if rest_s > 0:
                self._sleep(rest_s)
        self._last[host] = self._clock()
