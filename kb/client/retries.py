"""When a request is made again, and after how long."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from kb.clock import now

_WORTH_IT: Final = (429, 503)


@dataclass(frozen=True, slots=True)
class Retries:
    """`times` further tries, after pauses that double from `first_s`, each shortened by chance by up to half.

    Where the server asks for a longer pause than `most_s`, its error is raised at once.
    """

    times: int = 4
    first_s: float = 0.2
    most_s: float = 20.0
    chance: Callable[[], float] = random.random

    def after_failure(self, tries: int) -> float | None:
        """Seconds to wait after so many tries; None where it is enough."""
        if tries > self.times:
            return None
        return min(self.most_s, self.first_s * 2.0 ** (tries - 1)) * (1 - self.chance() / 2)

    def after_reply(self, tries: int, status: int, retry_after: str | None) -> float | None:
        pause_s = self.after_failure(tries) if status in _WORTH_IT else None
        if pause_s is None:
            return None
        asked_s = _seconds(retry_after, now())
        return None if asked_s > self.most_s else max(pause_s, asked_s)


def _seconds(retry_after: str | None, moment: datetime) -> float:
    """Of a Retry-After header: seconds or a date; 0 where it says nothing that can be read."""
    if retry_after is None:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - moment).total_seconds())
    except (ValueError, TypeError):
        return 0.0
