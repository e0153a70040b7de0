"""A bare copy of a repository that is not a local directory, brought up to date by asking first what has moved."""

from pathlib import Path

from connectors.git.command import Git
from connectors.redaction import anonymous
from kb.digest import digest
from kb.errors import SourceUnavailable

FETCH_TIMEOUT_S = 3600

_BRANCHES, _TAGS = "refs/heads/*", "refs/tags/*"
_NOWHERE = "refs/kb/none"
_REMOTE_HEAD = "refs/kb/head"
_KNOWN = "kb-refs"
"""What the remote listed when it was last fetched."""

# Packs arrive whole or not at all, where loose objects of a killed fetch would stay; and what a rewritten history
# dropped is kept, for published versions still name it.
_FETCH = ("-c", "fetch.unpackLimit=1", "-c", "gc.autoDetach=false", "-c", "gc.pruneExpire=never", "fetch", "--quiet")


def mirror_path(url: str, workspace: Path) -> Path:
    """Where the copy lives: the same for the same repository, whatever the credentials."""
    return workspace / "git" / digest("mirror", anonymous(url))[:32]


def refresh(git: Git, path: Path, url: str, ref: str | None) -> None:
    """Makes the mirror equal to the remote's branches, tags and HEAD. Raises SourceUnavailable."""
    _create(git, path)
    extra = (ref,) if ref and ref.startswith("refs/") else ()
    listed = git.run("ls-remote", "--symref", "--", url, "HEAD", _BRANCHES, _TAGS, *extra)
    known = path / _KNOWN
    if known.exists() and known.read_bytes() == listed:
        return
    lines = [line.split("\t") for line in listed.decode("utf-8", "surrogateescape").splitlines() if "\t" in line]
    found = {name: target for target, name in reversed(lines)}
    _fetch(git, url, [name for name in extra if name in found], found.get("HEAD"))
    known.write_bytes(listed)


def _create(git: Git, path: Path) -> None:
    if (path / "HEAD").exists():
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceUnavailable(f"{git.subject}: no room for its copy at {path}: {error.strerror}") from error
    Git(git.subject, ()).run("init", "--bare", "--quiet", "--template=", str(path))


def _fetch(git: Git, url: str, extra: list[str], head: str | None) -> None:
    names = [f"+{name}:{name}" for name in (_BRANCHES, _TAGS, *extra)]
    detached = head is not None and not head.startswith("ref: ")
    if detached:
        names.append(f"+HEAD:{_REMOTE_HEAD}")
    options = ("--prune", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--", url)
    git.run(*_FETCH, *options, *names, timeout_s=FETCH_TIMEOUT_S)
    if detached and head is not None:
        git.run("update-ref", "--no-deref", "HEAD", head)
    else:
        git.run("symbolic-ref", "HEAD", head.removeprefix("ref: ") if head else _NOWHERE)
