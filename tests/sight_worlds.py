"""Worlds for tests of what callers see: random documents with access lists, and a twin without the hidden."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
            if not base.tags():
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


def worlds(place: Path, taken: Steps, groups: Sequence[str]) -> list[World]:
    """The whole, and the one in which what is hidden from these groups never was."""
    found = []
    for name, own in (("whole", taken), ("twin", without_hidden(taken, groups))):
        (place / name).mkdir()
        found.append(World(place / name))
        for source, held in own:
            found[-1].take(source, held)
    return found
