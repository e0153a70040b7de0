"""As-of is exact for a source that knows its own past: a version for each commit that changes a document."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from comparison import Comparison, check_rebuilt
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from paragraphs import documents, edited, joined, paragraphs
from reference_model import DIMENSIONS, History
from workbench import Workbench, fill

import kb

SOURCE = "repo"
NAMES = ("a.md", "b.txt", "deep/c.md", "left-out.bin")
SELECTED = frozenset(NAMES[:3])
WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}

names = st.sampled_from(NAMES)
picks = st.integers(0, 30)
syncs = st.sampled_from([False, False, True])
"""Whether a commit is followed by a sync: several commits are often found by one."""

Tree = Mapping[str, str]


class Commits(RuleBasedStateMachine):
    """`line` holds the branch's commits with their documents, `read` those up to the last sync."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.repository = self.path / "repository"
        self.repository.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("commit", "--quiet", "--allow-empty", "--message=begin")
        self.bench = Workbench(self.path, DIMENSIONS)
        self.bench.add_git(SOURCE, self.repository, history="all", include="*.md,*.txt")
        self.base = kb.open(self.bench.home.path)
        self.files: dict[str, list[str]] = {}
        self.line: list[tuple[str, Tree]] = [(self._head(), {})]
        self.read: list[str] = []
        self.history = History()
        self.versions: dict[str, int] = {}
        self.comparison = Comparison(self.history)
        self.looked = True

    @initialize(first=st.dictionaries(names, documents, min_size=1, max_size=4))
    def begin(self, first: Mapping[str, list[str]]) -> None:
        self.files |= first
        self._commit(sync=False)

    @rule(name=names, document=documents, sync=syncs)
    def write(self, name: str, document: list[str], sync: bool) -> None:
        self.files[name] = document
        self._commit(sync)

    @precondition(lambda self: self.files)
    @rule(pick=picks, at=picks, cut=st.integers(0, 1), paragraph=paragraphs | st.none(), sync=syncs)
    def edit(self, pick: int, at: int, cut: int, paragraph: str | None, sync: bool) -> None:
        name = self._pick(pick)
        self.files[name] = edited(self.files[name], at, cut, paragraph)
        self._commit(sync)

    @precondition(lambda self: self.files)
    @rule(pick=picks, to=names, sync=syncs)
    def rename(self, pick: int, to: str, sync: bool) -> None:
        self.files[to] = self.files.pop(self._pick(pick))
        self._commit(sync)

    @precondition(lambda self: self.files)
    @rule(pick=picks, sync=syncs)
    def delete(self, pick: int, sync: bool) -> None:
        del self.files[self._pick(pick)]
        self._commit(sync)

    @precondition(lambda self: len(self.line) > 2)
    @rule(sync=syncs)
    def take_back(self, sync: bool) -> None:
        """A commit that makes the state before the last one again."""
        before = self.line[-2][1]
        self.files = {name: text.split("\n\n") for name, text in before.items()}
        self._commit(sync)

    @precondition(lambda self: len(self.line) > 2)
    @rule(name=names, document=documents, sync=syncs)
    def rewrite_the_last_commit(self, name: str, document: list[str], sync: bool) -> None:
        """The branch leaves its line: what was published of the old one stays."""
        self.line.pop()
        self.files = {name: text.split("\n\n") for name, text in self.line[-1][1].items()} | {name: document}
        self._git("reset", "--quiet", "--hard", "HEAD~1")
        self._commit(sync)

    @rule()
    def compact(self) -> None:
        self.bench.compact()
        self.looked = False

    @rule()
    def sync(self) -> None:
        """What the commits since the last one made: a version each, or one for all where the line was left."""
        line = [commit for commit, _ in self.line]
        onward = line[: len(self.read)] == self.read
        for commit, tree in self.line[len(self.read) :] if onward else self.line[-1:]:
            self.history.publish(SOURCE, {name: text for name, text in tree.items() if name in SELECTED})
            self.versions[commit] = len(self.history.versions)
        before = len(self.base.log(None))
        published = self.bench.sync(SOURCE)[0].published
        assert before + len(published) == len(self.history.versions)
        self.read = line
        self.looked = False

    @invariant()
    def every_version_answers_as_it_did(self) -> None:
        if self.looked or not self.history.versions:
            return
        self.comparison.check(self.base, {})
        for commit, version in self.versions.items():
            if version:
                assert self.base.show(f"{SOURCE}@{commit}").snapshot.version == version
        self.looked = True

    def teardown(self) -> None:
        try:
            self.sync()
            self.every_version_answers_as_it_did()
            self._check_proofs()
            self._check_rebuild()
        finally:
            self.base.close()
            self.bench.close()
            self.directory.cleanup()

    def _check_proofs(self) -> None:
        """Each document's digest is that of what git shows at its revision."""
        for snapshot in self.base.log(None):
            for document in self.base.documents(as_of=snapshot.version):
                shown = self._git("show", f"{document.source_revision}:{document.uri}")
                assert shown.decode() == self.history.at(snapshot.version).state[SOURCE, document.uri]
        if self.history.versions:
            assert self.base.verify().findings == ()

    def _check_rebuild(self) -> None:
        """From the tip alone, and from its files in a folder, the content is the same."""
        (self.path / "again").mkdir()
        again = Workbench(self.path / "again", DIMENSIONS)
        again.add_git(SOURCE, self.repository, include="*.md,*.txt")
        again.sync(SOURCE)
        with kb.open(again.home.path) as base:
            if self.history.versions:
                check_rebuilt(self.base, base)
        again.close()

    def _commit(self, sync: bool) -> None:
        """One commit of the files as they are now, though it changes nothing."""
        tree = {name: joined(document) for name, document in self.files.items()}
        self._git("rm", "-r", "--quiet", "--ignore-unmatch", ".")
        fill(self.repository, tree)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", f"--message=commit {len(self.line)}")
        self.line.append((self._head(), tree))
        if sync:
            self.sync()

    def _head(self) -> str:
        return self._git("rev-parse", "HEAD").decode().strip()

    def _pick(self, pick: int) -> str:
        return sorted(self.files)[pick % len(self.files)]

    def _git(self, *arguments: str) -> bytes:
        # Line ends are part of the text.
        command = ["git", "-c", "core.autocrlf=false", "-C", str(self.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, env=os.environ | WHO).stdout


TestCommits = Commits.TestCase
TestCommits.settings = settings(max_examples=max(5, settings().max_examples // 20), stateful_step_count=12)
