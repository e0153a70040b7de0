"""A caller's knowledge base is the one in which nothing hidden from it ever was: compared answer by answer."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from sight_worlds import Steps, World, callers, steps, worlds

pytestmark = pytest.mark.usefixtures("means")


@given(taken=steps, groups=callers)
@settings(max_examples=max(5, settings().max_examples // 100), phases=[Phase.generate])
def test_answers_are_those_of_a_knowledge_base_in_which_the_hidden_never_was(taken: Steps, groups: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        both = worlds(Path(place), taken, groups)
        whole, twin = (world.answers(groups) for world in both)
        for world in both:
            world.close()
    assert whole.keys() == twin.keys()
    for question, answer in whole.items():
        assert answer == twin[question], question


@given(taken=steps, later=steps, groups=callers)
@settings(max_examples=max(3, settings().max_examples // 100), phases=[Phase.generate])
def test_no_answer_changes_while_only_the_hidden_does(taken: Steps, later: Steps, groups: list[str]) -> None:
    """Every document of the source `vault` is hidden, whatever becomes of it."""
    closed: Steps = [
        (source, {uri: replace(paper, access=("x",)) if source == "vault" else paper for uri, paper in held.items()})
        for source, held in [*taken, *((("vault", held)) for _, held in later)]
    ]
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        for source, held in closed[: len(taken)]:
            world.take(source, held)
        before = world.answers(groups)
        for source, held in closed[len(taken) :]:
            world.take(source, held)
        after = world.answers(groups)
        world.close()
    assert before.keys() == after.keys()
    for question, answer in before.items():
        assert answer == after[question], question
