"""The agenda: wakes are gathered, none is lost, none waits for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.daemon.agenda import Agenda


@pytest.fixture
def agenda() -> Agenda:
    return Agenda(debounce_s=1, patience_s=5)


def test_many_wakes_are_one_look(agenda: Agenda) -> None:
    for moment in (0.0, 0.5, 1.0):
        agenda.wake("a", moment)
    assert agenda.due(1.9) == []
    assert agenda.next_s() == 2.0
    assert agenda.due(2.0) == ["a"]
    agenda.begin("a")
    agenda.end("a")
    assert agenda.due(100) == []
    assert agenda.next_s() is None


def test_the_first_wake_waits_no_longer_than_patience(agenda: Agenda) -> None:
    for tenth in range(100):
        agenda.wake("a", tenth / 10)
    assert agenda.due(4.9) == []
    assert agenda.due(5.0) == ["a"]


def test_wakes_during_a_look_lead_to_one_more(agenda: Agenda) -> None:
    agenda.begin("a")
    agenda.wake("a", 0.0)
    agenda.wake("a", 0.1)
    assert agenda.due(50) == []
    assert agenda.next_s() is None
    agenda.end("a")
    assert agenda.due(50) == ["a"]
    agenda.begin("a")
    agenda.end("a")
    assert agenda.due(50) == []


def test_a_running_look_keeps_nobody_else(agenda: Agenda) -> None:
    agenda.begin("slow")
    agenda.wake("slow", 0.0)
    agenda.wake("quick", 0.0)
    assert agenda.due(1.0) == ["quick"]
    assert agenda.next_s() == 1.0


def test_the_longest_due_comes_first(agenda: Agenda) -> None:
    agenda.look_at("late", 3.0)
    agenda.look_at("early", 1.0)
    agenda.wake("middle", 1.0)
    assert agenda.due(10) == ["early", "middle", "late"]


def test_a_wake_comes_before_a_later_look(agenda: Agenda) -> None:
    agenda.look_at("a", 900.0)
    agenda.wake("a", 1.0)
    assert agenda.due(2.0) == ["a"]


def test_a_later_look_puts_off_no_earlier_one(agenda: Agenda) -> None:
    agenda.look_at("a", 1.0)
    agenda.look_at("a", 900.0)
    assert agenda.due(1.0) == ["a"]


def test_what_is_forgotten_is_not_looked_at(agenda: Agenda) -> None:
    agenda.wake("a", 0.0)
    agenda.forget("a")
    assert agenda.due(100) == []


@given(st.lists(st.tuples(st.sampled_from(["wake", "begin", "end"]), st.sampled_from("ab")), max_size=40))
def test_after_every_wake_a_look_begins(steps: list[tuple[str, str]]) -> None:
    agenda, woken = Agenda(debounce_s=1, patience_s=5), dict[str, bool]()
    for moment, (step, name) in enumerate(steps):
        if step == "wake":
            agenda.wake(name, float(moment))
            woken[name] = True
        elif step == "begin" and name in agenda.due(float(moment)):
            agenda.begin(name)
            woken[name] = False
        elif step == "end":
            agenda.end(name)
    for name in "ab":
        agenda.end(name)
    assert set(agenda.due(1000.0)) == {name for name, waits in woken.items() if waits}
