"""The connector for a git repository: a branch's files as its tip holds them, or commit by commit."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import ClassVar

from connectors import patterns
from connectors.git import log
from connectors.git.command import Git
from connectors.git.listing import difference, sift
from connectors.git.log import Change, Commit
from connectors.git.objects import Objects
from connectors.git.options import GitOptions
from connectors.git.reading import Reader
from connectors.git.repository import Repository, Tip
from connectors.git.watch import watch
from connectors.protocol import MAX_BYTES, Closeable, Entry, Fetched, Listing
from kb.errors import DocumentUnavailable, SourceUnavailable

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

Step = tuple[Commit, tuple[Change, ...]]


class GitConnector:
    """Stamps are blob and mode, the locator and the revision are the commit, times are the committer's.

    Left out and counted: submodules, symbolic links, Git LFS pointers. The checkpoint names the commit and the
    patterns, so that changed patterns are noticed at an unchanged commit.
    """

    options_type: ClassVar[type[GitOptions]] = GitOptions

    def __init__(self, options: GitOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._options = options
        self._repository = Repository(options, workspace)
        self._selection = patterns.select(options.include, options.exclude)
        self._max_bytes = max_bytes

    @property
    def keeps_history(self) -> bool:
        return self._options.history != "tip"

    def poll(self, checkpoint: str | None) -> Listing:
        """The tip's documents, all of them; an empty change without a revision where the checkpoint is the tip."""
        tip = self._repository.follow()
        if checkpoint == self._checkpoint(tip.commit):
            return Listing((), checkpoint, removed=frozenset())
        return self._complete(tip.commit)

    def history(self, checkpoint: str | None) -> Iterator[Listing]:
        """A listing for each first-parent commit since the checkpoint that touched a document.

        The first of all is complete, those after it tell what changed. With `since:REV` the first is REV itself. Where
        the last commits touched nothing, a last listing without entries passes them. Where the checkpoint is no longer
        on the branch's line, or the patterns changed, one complete listing of the tip tells where things stand now.
        """
        tip = self._repository.follow()
        since = self._since()
        if checkpoint == self._checkpoint(tip.commit):
            return
        if not self.keeps_history:
            yield self._complete(tip.commit)
            return
        self._require_past(tip)
        if checkpoint is None:
            yield from self._from_start(tip.commit, since)
        else:
            yield from self._onward(checkpoint, tip.commit)

    def fetch(self, entry: Entry) -> Fetched:
        """The file as the entry's commit holds it, which nothing can change any more."""
        if not _COMMIT.fullmatch(entry.locator):
            raise DocumentUnavailable(f"{entry.uri}: {entry.locator!r} is not a commit")
        content = self._reader.content(entry.locator, entry.uri, self._max_bytes)
        return Fetched(content, revision=entry.locator, modified_at=self._reader.time(entry.locator))

    def watch(self, wake: Callable[[], None]) -> Closeable:
        """Wakes when a local repository's branches move, or a bundle is written; a remote cannot tell."""
        return watch(self._options, wake)

    def close(self) -> None:
        """Ends the processes that read objects; the connector may still be used."""
        if "_objects" in self.__dict__:
            self._objects.close()

    @cached_property
    def _git(self) -> Git:
        return self._repository.open()

    @cached_property
    def _objects(self) -> Objects:
        return Objects(self._git)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._git, self._objects)

    def _checkpoint(self, commit: str) -> str:
        return f"{commit} {self._selection.digest}"

    def _complete(self, commit: str, note: str = "") -> Listing:
        self._repository.require_whole(self._git)
        about = log.commit(self._git, commit)
        sifted = sift(log.tree(self._git, commit), commit, self._selection, self._objects)
        return Listing(
            sifted.entries,
            self._checkpoint(commit),
            revision=commit,
            time=about.time,
            message=about.subject + note,
            skipped=sifted.skipped,
        )

    def _require_past(self, tip: Tip) -> None:
        self._repository.require_whole(self._git)
        if tip.shallow:
            remedy = "run `git fetch --unshallow` in it, or use history=tip"
            raise SourceUnavailable(f"{self._repository.subject} is a shallow clone without its history; {remedy}")

    def _since(self) -> str | None:
        """The commit to begin at, where one is named: a name that means nothing must not pass for "nothing new"."""
        if self._options.since is None:
            return None
        since = self._repository.resolve(self._git, self._options.since)
        if since is None:
            raise SourceUnavailable(f"{self._repository.subject} has no commit {self._options.since} to begin at")
        return since.commit

    def _from_start(self, tip: str, since: str | None) -> Iterator[Listing]:
        if since is None:
            yield from self._replay(log.walk(self._git, tip, None), bare=True)
            return
        start, steps = _opened(log.walk(self._git, tip, since), tip)
        first = self._complete(start) if start else None
        if first is not None and first.entries:
            yield first
        yield from self._replay(steps, bare=first is None or not first.entries)

    def _onward(self, checkpoint: str, tip: str) -> Iterator[Listing]:
        seen, _, selection = checkpoint.partition(" ")
        if selection != self._selection.digest:
            yield self._complete(tip)
            return
        if _COMMIT.fullmatch(seen) and self._repository.resolve(self._git, seen):
            start, steps = _opened(log.walk(self._git, tip, seen), tip)
            if start == seen:
                yield from self._replay(steps, bare=False)
                return
        yield self._complete(tip, f" (history was rewritten: commit {seen[:12]} is no longer on its line)")

    def _replay(self, steps: Iterable[Step], bare: bool) -> Iterator[Listing]:
        """A listing per commit that touches a document; with `bare` there was none before, so the first is complete."""
        passed: list[tuple[str, datetime]] = []
        for commit, changes in steps:
            if made := difference(changes, commit.id, self._selection, self._objects):
                removed = None if bare else made.removed
                yield self._step(commit, made.entries, removed, passed, made.skipped)
                passed, bare = [], False
            else:
                passed.append((commit.id, commit.time))
        if passed:
            yield self._step(commit, (), frozenset(), passed[:-1], {})

    def _step(
        self,
        commit: Commit,
        entries: tuple[Entry, ...],
        removed: frozenset[str] | None,
        passed: list[tuple[str, datetime]],
        skipped: dict[str, int],
    ) -> Listing:
        return Listing(
            entries,
            self._checkpoint(commit.id),
            removed=removed,
            revision=commit.id,
            time=commit.time,
            message=commit.subject,
            passed=tuple(passed),
            skipped=skipped,
        )


def _opened(steps: Iterator[Step], tip: str) -> tuple[str | None, Iterator[Step]]:
    """The commit that the steps set out from (the tip where there are none), and the steps."""
    first = next(steps, None)
    if first is None:
        return tip, steps
    return first[0].parent, chain([first], steps)
