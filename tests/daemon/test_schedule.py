"""Schedules: intervals and cron in any zone, a little late, kept when nothing changed, begun anew with the clock."""

import queue
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from indexer.schedule import Schedule, cron, cron_trigger, interval
from kb.clock import now
from kb.nouns import Source

PATIENCE_S = 30


class Clock:
    """Runs like the real one, set to another time."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def woken() -> "queue.Queue[str]":
    return queue.Queue()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def schedule(woken: "queue.Queue[str]", clock: Clock) -> Iterator[Schedule]:
    made = Schedule(woken.put, clock)
    made.start()
    yield made
    made.close()


def of(**settings: str | None) -> Source:
    return Source("docs", "folder", {}, **settings)  # type: ignore[arg-type]


def wait_of(schedule: Schedule) -> timedelta:
    found = schedule.next_of("docs")
    assert found is not None
    return found - now()


def test_an_interval_wakes_again_and_again(schedule: Schedule, woken: "queue.Queue[str]") -> None:
    schedule.follow({"docs": of(every="1s")})
    assert [woken.get(timeout=PATIENCE_S) for _ in range(2)] == ["docs", "docs"]


def test_without_a_word_it_is_ten_minutes_a_little_late(schedule: Schedule) -> None:
    schedule.follow({"docs": of()})
    assert timedelta(minutes=9) < wait_of(schedule) < timedelta(minutes=11)


def test_jitter_spreads_sources_of_one_interval(schedule: Schedule) -> None:
    names = [f"source-{number}" for number in range(20)]
    schedule.follow({name: Source(name, "folder", {}, every="1h") for name in names})
    found = {schedule.next_of(name) for name in names}
    assert len({moment.replace(microsecond=0) for moment in found if moment}) > 5


def test_what_stays_keeps_its_time_and_what_changed_gets_another(schedule: Schedule) -> None:
    schedule.follow({"docs": of(every="1h")})
    before = schedule.next_of("docs")
    schedule.follow({"docs": of(every="1h", owner="ada"), "more": Source("more", "folder", {})})
    assert schedule.next_of("docs") == before
    schedule.follow({"docs": of(every="2h")})
    assert schedule.next_of("more") is None
    assert timedelta(hours=1.8) < wait_of(schedule) < timedelta(hours=2.2)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])
def test_cron_fields_are_in_their_zone(schedule: Schedule, zone: str) -> None:
    schedule.follow({"docs": of(cron=f"CRON_TZ={zone} 30 3 * * *")})
    found = schedule.next_of("docs")
    assert found is not None
    there = found.astimezone(ZoneInfo(zone))
    late = there - there.replace(hour=3, minute=30, second=0, microsecond=0)
    assert abs(late) <= timedelta(seconds=6)


def test_cron_fields_without_a_zone_are_in_utc(schedule: Schedule) -> None:
    schedule.follow({"docs": of(cron="0 12 * * *")})
    found = schedule.next_of("docs")
    assert found is not None
    noon = found.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    assert abs(found - noon) <= timedelta(seconds=6)


@pytest.mark.parametrize("hours", [-3, -1, 1, 30])
def test_a_clock_that_is_set_begins_intervals_anew(schedule: Schedule, clock: Clock, hours: int) -> None:
    # As if the time by which it began had not been the one that holds now.
    clock.ahead = timedelta(hours=-hours)
    schedule.follow({"docs": of(every="10m")})
    clock.ahead = timedelta()
    schedule.begin_anew()
    assert timedelta(minutes=9) < wait_of(schedule) < timedelta(minutes=11)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("0 3 * *", "five fields"),
        ("61 3 * * *", "61"),
        ("every day", "five fields"),
        ("", "five fields"),
        ("CRON_TZ=Mars/Olympus 0 3 * * *", "Mars/Olympus"),
        ("CRON_TZ=../etc 0 3 * * *", "../etc"),
        ("CRON_TZ=Europe/Berlin", "five fields"),
    ],
)
def test_bad_cron_is_refused(written: str, names: str) -> None:
    with pytest.raises(ValueError, match=names.replace(".", r"\.")):
        cron(written)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {6}),
        ("7", {6}),
        ("1", {0}),
        ("SUN", {6}),
        ("1-5", {0, 1, 2, 3, 4}),
        ("5-7", {4, 5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("0,3", {6, 2}),
        ("1-5/2", {0, 2, 4}),
        ("*/3", {6, 2, 5}),
    ],
)
def test_weekdays_are_those_of_cron(field: str, days: set[int]) -> None:
    trigger = cron_trigger(f"0 12 * * {field}")
    moment, found = datetime(2024, 5, 1, tzinfo=UTC), set()
    for _ in range(7):
        moment = trigger.get_next_fire_time(None, moment)
        found.add(moment.weekday())
        moment += timedelta(hours=13)
    assert found == days


@pytest.mark.parametrize("field", ["8", "mond", "1-", "*/0", "-", "1--2"])
def test_what_is_no_weekday_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="weekday"):
        cron(f"0 12 * * {field}")


def test_cron_is_kept_as_it_is_meant() -> None:
    assert cron("  CRON_TZ=Europe/Berlin   0 3  * * mon-fri ") == "CRON_TZ=Europe/Berlin 0 3 * * mon-fri"


@pytest.mark.parametrize("written", ["", "0s", "10", "m", "-5m", "1.5h", "10 minutes"])
def test_bad_intervals_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"10m|second"):
        interval(written)
