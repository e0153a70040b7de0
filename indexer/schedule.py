"""When a source is looked at: at intervals or by cron, a little late each time. The one door to APScheduler.

Cron fields are in UTC, or in the zone of a leading `CRON_TZ=Europe/Berlin `.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer import weekdays
from kb import duration
from kb.clock import now
from kb.nouns import Source

DEFAULT: Final = "10m"
"""Where a source says nothing: a scan finds what no watch told."""
_ZONE: Final = "CRON_TZ="
_JITTER: Final = 0.05
"""Share of an interval by which a look may come late, so that sources do not all come at once."""
_CRON_JITTER_S: Final = 5


def interval(value: object) -> str:
    """Raises ValueError for what is not a span of time."""
    written = str(value).strip()
    duration.seconds(written)
    return written


def cron(value: object) -> str:
    """Raises ValueError for what are not five cron fields, with a time zone before them or without."""
    written = " ".join(str(value).split())
    cron_trigger(written)
    return written


class Schedule:
    """Calls `wake` with a source's name whenever it is due, from a thread of its own."""

    def __init__(self, wake: Callable[[str], None], present: Callable[[], datetime] = now) -> None:
        """`present` is the clock that intervals start from."""
        from apscheduler.schedulers.background import BackgroundScheduler

        # It tells of each job at a level that people see.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._wake = wake
        self._present = present
        self._known: dict[str, tuple[str | None, str | None]] = {}
        self._changing = threading.Lock()
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})

    def start(self) -> None:
        self._scheduler.start()

    def close(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def follow(self, sources: Mapping[str, Source]) -> None:
        """From now on these sources, by their own schedules; one whose schedule stays keeps its next time."""
        with self._changing:
            for name in self._known.keys() - sources.keys():
                self._scheduler.remove_job(name)
                del self._known[name]
            for name, source in sources.items():
                if self._known.get(name) != (source.every, source.cron):
                    self._add(name, source.every, source.cron)

    def begin_anew(self) -> None:
        """After the clock was set: times that were worked out before it mean nothing any more."""
        with self._changing:
            for name, (every, cron) in list(self._known.items()):
                self._add(name, every, cron)

    def _add(self, name: str, every: str | None, cron: str | None) -> None:
        trigger = cron_trigger(cron) if cron else _interval_trigger(every or DEFAULT, self._present())
        self._scheduler.add_job(self._wake, trigger, [name], id=name, replace_existing=True)
        self._known[name] = every, cron

    def next_of(self, name: str) -> datetime | None:
        job = self._scheduler.get_job(name)
        return job.next_run_time if job else None


def _interval_trigger(written: str, present: datetime) -> Any:
    from apscheduler.triggers.interval import IntervalTrigger

    every = duration.seconds(written)
    jitter = max(1, round(every * _JITTER)) if every > 10 else None
    return IntervalTrigger(seconds=every, start_date=present + timedelta(seconds=every), timezone=UTC, jitter=jitter)


def cron_trigger(written: str) -> Any:
    """Raises ValueError."""
    from apscheduler.triggers.cron import CronTrigger

    zone, fields = ("UTC", written)
    if written.startswith(_ZONE):
        zone, _, fields = written.removeprefix(_ZONE).partition(" ")
    try:
        timezone = ZoneInfo(zone)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"names the time zone `{zone}`, which is not known; write one such as Europe/Berlin"
        ) from error
    try:
        *moment, weekday = fields.split() or [""]
        trigger = CronTrigger.from_crontab(" ".join([*moment, weekdays.named(weekday)]), timezone=timezone)
    except ValueError as error:
        raise ValueError(
            f"cannot be `{fields}` ({error}); write five fields: minute hour day month weekday, such as '0 3 * * *'"
        ) from error
    trigger.jitter = _CRON_JITTER_S
    return trigger
