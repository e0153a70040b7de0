"""When a request is made again: values alone, no server and no clock but for the date in a header."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from kb.client.retries import Retries
from kb.clock import now

STEADY = Retries(times=3, first_s=0.5, most_s=10.0, chance=lambda: 0.0)


def test_pauses_double_up_to_the_longest() -> None:
    patient = Retries(times=6, first_s=1.0, most_s=5.0, chance=lambda: 0.0)
    assert [patient.after_failure(tries) for tries in range(1, 8)] == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, None]
    assert Retries(first_s=1.0, chance=lambda: 1.0).after_failure(1) == 0.5


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [
        (503, None, 0.5),
        (429, "3", 3.0),
        (429, "0", 0.5),
        (503, "11", None),
        (503, "99999999999999999999", None),
        (503, "soon", 0.5),
        (503, "-5", 0.5),
        (503, "²", 0.5),
        (200, "3", None),
        (404, "3", None),
        (500, None, None),
    ],
)
def test_what_the_server_asks_for_counts(status: int, retry_after: str | None, pause_s: float | None) -> None:
    assert STEADY.after_reply(1, status, retry_after) == pause_s


def test_a_date_is_a_pause_too() -> None:
    pause_s = STEADY.after_reply(1, 503, format_datetime(now() + timedelta(seconds=8), usegmt=True))
    assert pause_s is not None
    assert 6 < pause_s <= 8


def test_enough_is_enough() -> None:
    assert STEADY.after_reply(4, 503, "1") is None
