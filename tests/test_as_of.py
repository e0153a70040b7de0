"""As-of is exact: after every step of random histories, every version answers as a plain dictionary does."""

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from comparison import Comparison, check_rebuilt
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from image_support import by_image
from paragraphs import documents, edited, joined, paragraphs
from reference_model import DIMENSIONS, History, Place, State
from workbench import Workbench, fill

import kb
from kb.retention import Policy

SOURCES = ("docs", "notes")
NAMES = ("a.md", "b.txt", "deep/er/c.md", "d e-ü%.rst", "e.py")

places = st.tuples(st.sampled_from(SOURCES), st.sampled_from(NAMES))
picks = st.integers(0, 30)
syncs = st.sampled_from([SOURCES, SOURCES, SOURCES[:1], SOURCES[1:], ()])
"""The sources that are synced once a file has changed: they fall behind and catch up at different times."""


class Histories(RuleBasedStateMachine):
    """`files` is what the folders hold, `history` what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.bench = Workbench(self.path, DIMENSIONS)
        self.folders = {name: self.bench.add_folder(name) for name in SOURCES}
        self.base = kb.open(self.bench.home.path)
        self.files: dict[Place, list[str]] = {}
        self.past: dict[Place, list[list[str]]] = {}
        self.history = History()
        self.comparison = Comparison(self.history)
        self.tags: dict[str, int] = {}
        self.dimensions = DIMENSIONS
        self.looked = True

    # What happens to files

    @initialize(first=st.dictionaries(places, documents, min_size=2, max_size=5), then=syncs)
    def begin(self, first: Mapping[Place, list[str]], then: Iterable[str]) -> None:
        for place, document in first.items():
            self._write(place, document)
        self._sync(then)

    @rule(place=places, document=documents, then=syncs)
    def write(self, place: Place, document: list[str], then: Iterable[str]) -> None:
        self._write(place, document)
        self._sync(then)

    @precondition(lambda self: self.files)
    @rule(pick=picks, at=picks, cut=st.integers(0, 1), paragraph=paragraphs | st.none(), then=syncs)
    def edit(self, pick: int, at: int, cut: int, paragraph: str | None, then: Iterable[str]) -> None:
        """Replaces, inserts or takes out a paragraph."""
        place = self._pick(pick)
        self._write(place, edited(self.files[place], at, cut, paragraph))
        self._sync(then)

    @precondition(lambda self: self.files)
    @rule(pick=picks, to=places, then=syncs)
    def move(self, pick: int, to: Place, then: Iterable[str]) -> None:
        """A rename, or a move to another source; what stood there is overwritten."""
        place = self._pick(pick)
        self._path(to).parent.mkdir(parents=True, exist_ok=True)
        self._path(place).replace(self._path(to))
        self._hold(to, self.files.pop(place))
        self._sync(then)

    @precondition(lambda self: self.files)
    @rule(pick=picks, to=places, then=syncs)
    def copy(self, pick: int, to: Place, then: Iterable[str]) -> None:
        place = self._pick(pick)
        if place != to:
            self._path(to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._path(place), self._path(to))
            self._hold(to, self.files[place])
        self._sync(then)

    @precondition(lambda self: self.past)
    @rule(pick=picks, back=picks, then=syncs)
    def revert(self, pick: int, back: int, then: Iterable[str]) -> None:
        """Brings back an earlier content, of a deleted document too."""
        place = sorted(self.past)[pick % len(self.past)]
        self._write(place, self.past[place][back % len(self.past[place])])
        self._sync(then)

    @precondition(lambda self: self.files)
    @rule(pick=picks, then=syncs)
    def delete(self, pick: int, then: Iterable[str]) -> None:
        place = self._pick(pick)
        self._path(place).unlink()
        del self.files[place]
        self._sync(then)

    @precondition(lambda self: self.files)
    @rule(pick=picks, seconds=st.integers(1, 2_000_000_000), then=syncs)
    def touch(self, pick: int, seconds: int, then: Iterable[str]) -> None:
        os.utime(self._path(self._pick(pick)), (seconds, seconds))
        self._sync(then)

    # What happens to the knowledge base

    @rule(dimensions=st.sampled_from([DIMENSIONS, 24]))
    def change_the_model(self, dimensions: int) -> None:
        """The next sync, of whatever source, moves all that lives to the new embedding space."""
        self.bench.change_model(dimensions)
        self.dimensions = dimensions

    @rule(then=syncs)
    def resync(self, then: Iterable[str]) -> None:
        self._sync(then)

    @precondition(lambda self: self.history.versions)
    @rule(pick=picks)
    def tag(self, pick: int) -> None:
        version = self.history.kept[pick % len(self.history.kept)]
        name = f"tag-{len(self.tags)}"
        assert self.base.tag(name, version) == version
        self.tags[name] = version

    @precondition(lambda self: self.history.versions)
    @rule(last=st.none() | st.integers(1, 4), tagged=st.booleans(), picked=st.sets(picks, max_size=4))
    def retain(self, last: int | None, tagged: bool, picked: Iterable[int]) -> None:
        """Any versions may be kept: those of tags made for it beside the newest."""
        for pick in picked:
            self.tag(pick)
        policy = Policy(last=last, tagged=tagged or last is None)
        wanted = [*self.history.kept[-last:]] if last else []
        wanted += self.tags.values() if policy.tagged else []
        expected = self.history.retain(wanted)
        foreseen, done = (self.bench.writer.retain(policy, dry_run=dry_run) for dry_run in (True, False))
        assert [snapshot.version for snapshot in done.expired] == expected
        assert (foreseen.kept, foreseen.expired, foreseen.removed) == (done.kept, done.expired, done.removed)
        assert self.bench.writer.retain(policy).expired == ()
        for version in {self.history.kept[0], self.history.kept[-1]}:
            assert self.base.verify(version).findings == ()
        self.looked = False

    @rule()
    def compact(self) -> None:
        self.bench.compact()
        self.looked = False

    @rule()
    def reopen(self) -> None:
        self.base.close()
        self.base = kb.open(self.bench.home.path)
        self.looked = False

    # What must hold

    @invariant()
    def every_version_answers_as_it_did(self) -> None:
        # Where files alone changed there is nothing new to look at.
        if self.history.versions and not self.looked:
            self.comparison.check(self.base, self.tags)
            self.looked = True

    def teardown(self) -> None:
        try:
            self._sync(SOURCES)
            self.every_version_answers_as_it_did()
            if self.history.versions:
                assert self.base.verify().findings == ()
            self._check_rebuild()
        finally:
            self.base.close()
            self.bench.close()
            self.directory.cleanup()

    def _check_rebuild(self) -> None:
        (self.path / "again").mkdir()
        again = Workbench(self.path / "again", self.dimensions)
        for name, folder in self.folders.items():
            again.add_folder(name, folder)
        again.sync(*SOURCES)
        with kb.open(again.home.path) as base:
            check_rebuilt(self.base, base)
        again.close()

    # What the rules stand on

    def _sync(self, names: Iterable[str]) -> None:
        for name in names:
            reached = self.bench.sync(name)
            changes = self.history.move(self.dimensions) + self.history.publish(name, _of(self._state(), name))
            assert len(reached[0].published) == changes, "a snapshot for a change, and none without"
            assert not reached[0].quarantined
            self.looked = False

    def _state(self) -> State:
        return {place: joined(document) for place, document in self.files.items()}

    def _pick(self, pick: int) -> Place:
        return sorted(self.files)[pick % len(self.files)]

    def _path(self, place: Place) -> Path:
        return self.folders[place[0]] / place[1]

    def _write(self, place: Place, document: list[str]) -> None:
        self._hold(place, document)
        fill(self.folders[place[0]], {place[1]: joined(document)})

    def _hold(self, place: Place, document: list[str]) -> None:
        self.files[place] = document
        self.past.setdefault(place, []).append(document)


def _of(state: State, source: str) -> dict[str, str]:
    return {uri: text for (name, uri), text in state.items() if name == source}


class ImagedHistories(Histories):
    """The same where every search looks over an image."""

    def __init__(self) -> None:
        self.means = ExitStack()
        self.means.enter_context(by_image())
        super().__init__()

    def teardown(self) -> None:
        with self.means:
            super().teardown()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=max(6, settings().max_examples // 16), stateful_step_count=16)
TestImagedHistories = ImagedHistories.TestCase
TestImagedHistories.settings = TestHistories.settings
