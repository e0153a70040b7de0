"""Which versions a policy keeps, and by which of its rules: pure, and united as restic's `forget` unites them."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from kb.errors import UsageError

_DURATION: Final = re.compile(r"(?:(\d{1,4})y)?(?:(\d{1,5})m)?(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,7})h)?")
_PERIODS: Final[Mapping[str, Callable[[datetime], tuple[int, ...]]]] = {
    "hourly": lambda time: (time.year, time.month, time.day, time.hour),
    "daily": lambda time: (time.year, time.month, time.day),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep; a version that any rule keeps is kept, and so is the head. Raises UsageError on construction."""

    last: int | None = None
    """So many newest versions."""
    hourly: int | None = None
    """The newest version of each of so many last hours that have one; likewise the next three. Hours are UTC's."""
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    within: str | None = None
    """All versions that are younger than this, seen from the newest: `2y5m7d3h`; `w` weeks, `m` months."""
    tagged: bool = False
    """All versions that have a tag."""

    def __post_init__(self) -> None:
        counts = {name: getattr(self, name) for name in ("last", *_PERIODS)}
        for name, count in counts.items():
            if count is not None and count < 1:
                raise UsageError(f"--keep-{name} must be 1 or more, not {count}")
        if self.within is not None:
            _before(datetime.now(UTC), self.within)
        if not self.tagged and self.within is None and not any(counts.values()):
            raise UsageError("no rule says what to keep: give at least one, such as `keep_last` 10 or `--keep-last 10`")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that may be kept: when it was published, and its tags."""

    version: int
    time: datetime
    tags: tuple[str, ...] = ()


def keep(candidates: Sequence[Candidate], policy: Policy) -> dict[int, tuple[str, ...]]:
    """The versions that are kept, oldest first, each with the rules that keep it."""
    newest_first = sorted(candidates, key=lambda candidate: candidate.version, reverse=True)
    kept: dict[int, list[str]] = {}
    for rule, chosen in _chosen(newest_first, policy).items():
        for candidate in chosen:
            kept.setdefault(candidate.version, []).append(rule)
    return {version: tuple(kept[version]) for version in sorted(kept)}


def _chosen(newest_first: Sequence[Candidate], policy: Policy) -> dict[str, Sequence[Candidate]]:
    """What each rule keeps by itself."""
    chosen: dict[str, Sequence[Candidate]] = {"head": newest_first[:1], "last": newest_first[: policy.last or 0]}
    for name, period in _PERIODS.items():
        chosen[name] = _newest_of_each(newest_first, period)[: getattr(policy, name) or 0]
    if policy.within is not None and newest_first:
        start = _before(max(candidate.time for candidate in newest_first), policy.within)
        chosen["within"] = [candidate for candidate in newest_first if candidate.time > start]
    if policy.tagged:
        chosen["tagged"] = [candidate for candidate in newest_first if candidate.tags]
    return chosen


def _newest_of_each(
    newest_first: Sequence[Candidate], period: Callable[[datetime], tuple[int, ...]]
) -> list[Candidate]:
    found: dict[tuple[int, ...], Candidate] = {}
    for candidate in newest_first:
        found.setdefault(period(candidate.time.astimezone(UTC)), candidate)
    return list(found.values())


def _before(moment: datetime, duration: str) -> datetime:
    """So much earlier, by the calendar: where a month is too short for the day, its last day. Raises UsageError."""
    match = _DURATION.fullmatch(duration.strip())
    years, months, weeks, days, hours = (int(part or 0) for part in match.groups()) if match else (0,) * 5
    if not any((years, months, weeks, days, hours)):
        raise UsageError(f"--keep-within takes a duration such as 2y5m7d3h (or 2w; m is months), not {duration!r}")
    try:
        moment = moment.astimezone(UTC)
        index = moment.year * 12 + moment.month - 1 - years * 12 - months
        year, month = index // 12, index % 12 + 1
        day = min(moment.day, monthrange(year, month)[1])
        return moment.replace(year=year, month=month, day=day) - timedelta(weeks=weeks, days=days, hours=hours)
    except (ValueError, OverflowError):
        # Longer ago than there are dates: everything is within.
        return datetime.min.replace(tzinfo=UTC)
