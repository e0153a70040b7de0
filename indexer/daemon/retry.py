"""When a source that failed is tried again: later each time, and after some failures in a row hardly at all."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from kb.catalog.standings import Standing

FIRST_S: Final = 2.0
LONGEST_S: Final = 900.0
OPENS_AT: Final = 5
"""Failures in a row that open the circuit: then wakes and schedules wait for the next retry, too."""


def failed(
    standing: Standing, moment: datetime, chance: float, *, guarded: bool = False, helps: bool = True
) -> Standing:
    """After one more failure; `chance`, from 0 to 1, spreads the retries of many sources over half of the wait.

    Where another try hardly `helps`, as with a wrong setting, the longest wait comes at once.
    """
    failures = standing.failures + 1
    opened = standing.opened_at or (moment if failures >= OPENS_AT else None)
    longer_s = FIRST_S * 2 ** (failures - 1) if helps and not opened else LONGEST_S
    wait_s = longer_s * (0.5 + chance / 2)
    retry_at = moment + timedelta(seconds=wait_s)
    return replace(standing, failures=failures, opened_at=opened, retry_at=retry_at, guarded=guarded)


def succeeded(standing: Standing) -> Standing:
    return replace(standing, failures=0, opened_at=None, retry_at=None, guarded=False)
