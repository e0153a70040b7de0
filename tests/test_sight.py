"""A caller's knowledge base is the one in which nothing hidden from it ever was: compared answer by answer."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from sight_support import asked, comparable
from workbench import Workbench

import kb
from kb.digest import document_id

WORDS = ("refund", "period", "thirty", "salary", "secret", "merger")
URIS = tuple(f"{name}.md" for name in "abcd")
SOURCES = ("shelf", "vault")
QUERIES = ("refund salary",)
GROUPS = ("staff", "legal")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(
    lambda words: f"# {words[0]}\n\n{' '.join(words)}."
)
lists = st.none() | st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)
metadata = st.dictionaries(st.sampled_from(["team", "secret"]), st.sampled_from(["red", "x"]), max_size=2)
papers = st.builds(Paper, text=texts | st.just("\0\1\2\3"), metadata=metadata, access=lists)
"""Some cannot be read, and go to quarantine."""
steps = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.dictionaries(st.sampled_from(URIS), papers, max_size=4)),
    min_size=1,
    max_size=5,
)
callers = st.lists(st.sampled_from(GROUPS), max_size=2, unique=True)
Steps = Sequence[tuple[str, dict[str, Paper]]]


class World:
    """A knowledge base that begins with a document for everyone, and the steps that were taken with it."""

    def __init__(self, place: Path) -> None:
        self.bench = Workbench(place, DIMENSIONS)
        for source in SOURCES:
            self.bench.add_unregistered(source)
        self.take("shelf", {})

    def take(self, source: str, held: dict[str, Paper]) -> None:
        always = {"open.md": Paper("# Open\n\nThe refund period.")} if source == "shelf" else {}
        self.bench.sync_with(source, Shelf({**always, **held}))

    def answers(self, groups: Sequence[str]) -> dict[str, Any]:
        with kb.open(self.bench.home.path) as base:
            base.tag("newest")
            base = base.seen_by(groups)
            versions = sorted(snapshot.version for snapshot in base.log(None))
            places = {version: place for place, version in enumerate(versions)}
            uris = [name for source in SOURCES for uri in URIS for name in names(source, uri)]
            return {
                question: comparable(answer, places)
                for question, answer in asked(base, versions, [*SOURCES, "other"], uris, QUERIES)
            }

    def close(self) -> None:
        self.bench.close()


def names(source: str, uri: str) -> tuple[str, str]:
    return f"{source}:{uri}", document_id(source, uri)[:12]


def last_lists(taken: Steps) -> dict[tuple[str, str], tuple[str, ...] | None]:
    """The list that is in force for each document: the one that it was last read with."""
    return {(source, uri): paper.access for source, held in taken for uri, paper in held.items()}


def without_hidden(taken: Steps, groups: Sequence[str]) -> Steps:
    hidden = {
        place for place, access in last_lists(taken).items() if access is not None and not set(access) & set(groups)
    }
    return [
        (source, {uri: paper for uri, paper in held.items() if (source, uri) not in hidden}) for source, held in taken
    ]


@given(taken=steps, groups=callers)
@settings(max_examples=8)
def test_answers_are_those_of_a_knowledge_base_in_which_the_hidden_never_was(taken: Steps, groups: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        worlds = [World(Path(place) / name) for name in ("whole", "twin") if (Path(place) / name).mkdir() is None]
        for world, own in zip(worlds, (taken, without_hidden(taken, groups)), strict=True):
            for source, held in own:
                world.take(source, held)
        whole, twin = (world.answers(groups) for world in worlds)
        for world in worlds:
            world.close()
    assert whole.keys() == twin.keys()
    for question, answer in whole.items():
        assert answer == twin[question], question


@given(taken=steps, later=steps, groups=callers)
@settings(max_examples=5)
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
