"""Which versions a policy keeps: restic's documented rules, by examples and against a plain count of periods."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.kept import first_kept, gaps, last_kept_before, nearest_kept, needed
from kb.nouns import FOREVER
from kb.retention import Candidate, Policy, keep


def line(*times: str, tagged: Iterable[int] = ()) -> list[Candidate]:
    """Versions from 1 on, published at those times."""
    return [
        Candidate(version, datetime.fromisoformat(time).replace(tzinfo=UTC), ("kept",) if version in tagged else ())
        for version, time in enumerate(times, 1)
    ]


DAYS = line(
    "2024-01-01T09:00",  # 1, Monday of week 1
    "2024-01-01T09:59:59.999999",
    "2024-01-01T10:00",
    "2024-01-01T23:59:59",  # 4
    "2024-01-02T00:00",  # 5
    "2024-01-07T12:00",  # 6, Sunday of week 1
    "2024-01-08T12:00",  # 7, Monday of week 2
    "2024-01-31T12:00",  # 8
    "2024-02-29T12:00",  # 9
    "2024-02-29T12:30",  # 10
    tagged=(2, 7),
)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (Policy(last=1), {10}),
        (Policy(last=3), {8, 9, 10}),
        (Policy(last=99), set(range(1, 11))),
        (Policy(hourly=1), {10}),
        (Policy(hourly=6), {4, 5, 6, 7, 8, 10}),
        (Policy(hourly=8), {2, 3, 4, 5, 6, 7, 8, 10}),
        (Policy(daily=2), {8, 10}),
        (Policy(daily=6), {4, 5, 6, 7, 8, 10}),
        (Policy(weekly=1), {10}),
        (Policy(weekly=4), {6, 7, 8, 10}),
        (Policy(monthly=1), {10}),
        (Policy(monthly=2), {8, 10}),
        (Policy(monthly=12), {8, 10}),
        (Policy(tagged=True), {2, 7, 10}),
        (Policy(last=1, daily=2, tagged=True), {2, 7, 8, 10}),
        (Policy(within="1h"), {9, 10}),
        (Policy(within="29d"), {9, 10}),
        (Policy(within="30d"), {8, 9, 10}),
        (Policy(within="1m"), {8, 9, 10}),
        (Policy(within="1m22d"), {7, 8, 9, 10}),
        (Policy(within="7w4d"), {7, 8, 9, 10}),
        (Policy(within="2y5m7d3h"), set(range(1, 11))),
        (Policy(within="9999y"), set(range(1, 11))),
        (Policy(within="30d", weekly=3), {7, 8, 9, 10}),
    ],
)
def test_keep(policy: Policy, kept: set[int]) -> None:
    assert set(keep(DAYS, policy)) == kept


def test_the_rules_that_keep_a_version_are_named() -> None:
    assert keep(DAYS, Policy(last=2, monthly=2, tagged=True)) == {
        2: ("tagged",),
        7: ("tagged",),
        8: ("monthly",),
        9: ("last",),
        10: ("head", "last", "monthly"),
    }


def test_nothing_of_nothing() -> None:
    assert keep([], Policy(last=3, within="1d", tagged=True)) == {}


def test_within_leaves_out_what_is_exactly_as_old() -> None:
    """As restic does: kept is what is newer than the newest less the duration."""
    times = line("2024-03-01T00:00", "2024-03-01T00:00:00.000001", "2024-03-02T00:00")
    assert set(keep(times, Policy(within="24h"))) == {2, 3}


def test_a_month_before_the_31st_is_the_month_s_last_day() -> None:
    times = line("2024-02-28T23:00", "2024-02-29T01:00", "2024-03-31T00:00")
    assert set(keep(times, Policy(within="1m"))) == {2, 3}


def test_hours_are_utc_s() -> None:
    east = timezone(timedelta(hours=9, minutes=30))
    moved = [replace(candidate, time=candidate.time.astimezone(east)) for candidate in DAYS]
    for policy in (Policy(hourly=4), Policy(daily=3), Policy(weekly=3), Policy(monthly=2), Policy(within="1m")):
        assert keep(moved, policy) == keep(DAYS, policy)


def test_a_week_belongs_to_its_own_year() -> None:
    """Monday 30 December 2024 to Sunday 5 January 2025 is one week."""
    times = line("2024-12-29T12:00", "2024-12-30T12:00", "2025-01-05T12:00")
    assert set(keep(times, Policy(weekly=2))) == {1, 3}


@pytest.mark.parametrize("rule", ["last", "hourly", "daily", "weekly", "monthly"])
@pytest.mark.parametrize("count", [0, -1])
def test_a_count_must_be_positive(rule: str, count: int) -> None:
    with pytest.raises(UsageError, match=f"--keep-{rule} must be 1 or more, not {count}"):
        Policy(**{rule: count}, tagged=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "duration", ["", " ", "0d", "0y0h", "7", "d", "-1d", "1.5d", "3x", "1d 2h", "3h2d", "1D", "1dd"]
)
def test_a_bad_duration_is_refused(duration: str) -> None:
    with pytest.raises(UsageError, match="--keep-within takes a duration such as"):
        Policy(within=duration)


def test_no_rule_is_no_policy() -> None:
    with pytest.raises(UsageError, match="no rule says what to keep"):
        Policy()


# Against periods counted by their names

NAMES = {"hourly": "%Y-%m-%d %H", "daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m"}
counts = st.none() | st.integers(1, 6)
steps = st.lists(st.integers(0, 40 * 24 * 60), max_size=25)


@given(
    minutes=steps,
    last=counts,
    periods=st.fixed_dictionaries(dict.fromkeys(NAMES, counts)),
    tags=st.sets(st.integers(1, 25)),
)
def test_any_line(minutes: list[int], last: int | None, periods: dict[str, int | None], tags: set[int]) -> None:
    moment, candidates = datetime(2023, 11, 20, 22, 30, tzinfo=UTC), []
    for version, step in enumerate(minutes, 1):
        moment += timedelta(minutes=step)
        candidates.append(Candidate(version, moment, ("a",) if version in tags else ()))
    expected = {version for version in tags if version <= len(minutes)} | {len(minutes)} - {0}
    expected |= {candidate.version for candidate in candidates[len(candidates) - (last or 0) :]} if last else set()
    if last and last > len(candidates):
        expected |= {candidate.version for candidate in candidates}
    for name, count in periods.items():
        newest = {candidate.time.strftime(NAMES[name]): candidate.version for candidate in candidates}
        expected |= set(sorted(newest.values())[::-1][: count or 0])
    assert set(keep(candidates, Policy(last=last, tagged=True, **periods))) == expected


# Kept versions and life spans


@given(kept=st.sets(st.integers(1, 12), min_size=1), since=st.integers(1, 12), length=st.integers(1, 12) | st.none())
def test_what_is_needed(kept: set[int], since: int, length: int | None) -> None:
    ordered, until = sorted(kept), FOREVER if length is None else since + length
    lives = [version for version in ordered if since <= version < until]
    assert needed(ordered, since, until) == bool(lives)
    assert first_kept(ordered, since) == next((version for version in ordered if version >= since), FOREVER)
    assert last_kept_before(ordered, since) == next((version for version in ordered[::-1] if version < since), None)
    if until <= ordered[-1]:
        assert any(after < since and until <= upto for after, upto in gaps(ordered)) == (not lives)


def test_the_nearest_is_the_older_of_two() -> None:
    assert [nearest_kept([2, 6, 7], version) for version in (1, 3, 4, 5, 9)] == [2, 2, 2, 6, 7]
