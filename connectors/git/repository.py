"""A repository to read from, and the commit that a source follows in it.

A local directory is read in place and never written to; a URL or a bundle is read through a mirror.
"""

from dataclasses import dataclass
from pathlib import Path

from connectors.git import mirror
from connectors.git.command import Git
from connectors.git.options import GitOptions
from connectors.redaction import redacted
from connectors.uri import escaped
from kb.errors import SourceUnavailable

_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"


@dataclass(frozen=True, slots=True)
class Tip:
    """The followed commit. A shallow repository lacks the commits before some of its own."""

    commit: str
    shallow: bool


class Repository:
    """`git` runs in it once `follow` or `open` was called."""

    def __init__(self, options: GitOptions, workspace: Path) -> None:
        self._options = options
        self._mirror = mirror.mirror_path(options.url, workspace)
        self.subject = f"git repository {redacted(options.url)}"

    def open(self) -> Git:
        """Git where the repository is, without asking whether it moved. Raises SourceUnavailable."""
        git = self._git()
        if not self._is_local() and not (self._mirror / "HEAD").exists():
            mirror.refresh(git, self._mirror, self._options.url, self._options.ref)
        return git

    def follow(self) -> Tip:
        """The commit to read now, after the mirror was brought up to date. Raises SourceUnavailable."""
        git = self._git()
        if not self._is_local():
            mirror.refresh(git, self._mirror, self._options.url, self._options.ref)
        return self._tip(git)

    def require_whole(self, git: Git) -> None:
        """Raises SourceUnavailable for a clone that would have to ask its remote for what it lacks."""
        status, _, _ = git.ask("config", "--get-regexp", _PARTIAL)
        if status == 0 and self._is_local():
            raise SourceUnavailable(f"{self.subject} is a partial clone; give its remote's URL instead")

    def resolve(self, git: Git, name: str) -> Tip | None:
        """The commit of that name, None where there is none. Raises SourceUnavailable where it cannot be told."""
        query = ("rev-parse", "--show-prefix", "--is-shallow-repository", f"{name}^{{commit}}", "--")
        status, output, errors = git.ask(*query)
        if status:
            if b"bad revision" in errors:
                return None
            raise git.failure(errors)
        prefix, shallow, commit = output.decode("utf-8", "surrogateescape").splitlines()[-4:-1]
        if prefix:
            inside = f"is the directory {escaped(prefix)} of a repository"
            raise SourceUnavailable(
                f"{self.subject} {inside}; give the repository's own, and include=/{escaped(prefix)}"
            )
        return Tip(commit, shallow == "true")

    def _git(self) -> Git:
        if self._is_local():
            return Git(self.subject, ("-C", self._options.url))
        return Git(self.subject, (f"--git-dir={self._mirror}",))

    def _is_local(self) -> bool:
        path = self._options.path
        try:
            return path is not None and path.stat() is not None and path.is_dir()
        except FileNotFoundError as error:
            raise SourceUnavailable(f"{self.subject} is not there; restore it, or change the url") from error
        except OSError as error:
            raise SourceUnavailable(
                f"{self.subject} cannot be read: {error.strerror}; check its permissions"
            ) from error

    def _tip(self, git: Git) -> Tip:
        for name in self._names():
            if tip := self.resolve(git, name):
                return tip
        branches = self._branches(git)
        obvious = None if self._options.ref else _obvious(branches)
        if obvious is not None and (tip := self.resolve(git, f"refs/heads/{obvious}")):
            return tip
        raise SourceUnavailable(self._lost(branches, obvious))

    def _names(self) -> list[str]:
        """A branch comes before a tag of the same name: a source is followed."""
        ref = self._options.ref
        if ref is None:
            return ["HEAD"]
        return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", ref]

    def _branches(self, git: Git) -> list[str]:
        names = git.run("for-each-ref", "--format=%(refname)", "refs/heads")
        return [name.removeprefix("refs/heads/") for name in names.decode("utf-8", "surrogateescape").splitlines()]

    def _lost(self, branches: list[str], name: str | None) -> str:
        known = escaped(", ".join(branches)) or "none"
        if name is not None:
            return f"{self.subject}: its branch {escaped(name)} has no readable commit; check it with `git fsck`"
        if self._options.ref:
            return f"{self.subject} has no branch, tag or commit {self._options.ref}; its branches: {known}"
        return f"{self.subject} does not say which branch is its HEAD; give ref=BRANCH, one of: {known}"


def _obvious(branches: list[str]) -> str | None:
    """The branch that is meant where HEAD does not say."""
    if len(branches) == 1:
        return branches[0]
    return next((name for name in ("main", "master") if name in branches), None)
