"""Retries: later each time, spread by chance, and hardly at all behind an open circuit."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from indexer.daemon.retry import FIRST_S, LONGEST_S, OPENS_AT, failed, succeeded
from kb.catalog.standings import Standing

MOMENT = datetime(2024, 5, 1, tzinfo=UTC)


def waits(count: int, chance: float) -> list[float]:
    standing, found = Standing(), []
    for _ in range(count):
        standing = failed(standing, MOMENT, chance)
        assert standing.retry_at is not None
        found.append((standing.retry_at - MOMENT).total_seconds())
    return found


def test_each_wait_is_twice_the_last_until_the_circuit_opens() -> None:
    found = waits(60, chance=1.0)
    closed, opened = found[: OPENS_AT - 1], found[OPENS_AT - 1 :]
    assert closed[0] == FIRST_S
    assert all(after == 2 * before for before, after in pairwise(closed))
    assert set(opened) == {LONGEST_S}


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.999])
def test_chance_spreads_over_half_of_the_wait(chance: float) -> None:
    for least, found, most in zip(waits(12, 0.0), waits(12, chance), waits(12, 1.0), strict=True):
        assert most / 2 == least <= found <= most


def test_the_circuit_opens_once_and_a_success_closes_it() -> None:
    standing = Standing(changed_at=MOMENT, next_at=MOMENT)
    for failures in range(1, OPENS_AT):
        standing = failed(standing, MOMENT, 0.5)
        assert (standing.failures, standing.opened_at) == (failures, None)
    standing = failed(standing, MOMENT, 0.5)
    assert standing.opened_at == MOMENT
    standing = failed(standing, MOMENT + timedelta(hours=1), 0.5, guarded=True)
    assert (standing.opened_at, standing.failures, standing.guarded) == (MOMENT, OPENS_AT + 1, True)
    assert succeeded(standing) == Standing(changed_at=MOMENT, next_at=MOMENT)


def test_where_a_try_hardly_helps_the_longest_wait_comes_at_once() -> None:
    standing = failed(Standing(), MOMENT, 1.0, helps=False)
    assert standing.retry_at == MOMENT + timedelta(seconds=LONGEST_S)
