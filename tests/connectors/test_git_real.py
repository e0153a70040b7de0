"""The two real histories: as many listings as git counts commits, and their replay is the tip's tree."""

import subprocess
from pathlib import Path

import pytest

CORPORA = [("peps", "peps/*.rst", 1191), ("owasp", "cheatsheets/*.md", 599)]


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    """Bare clones, made by git alone."""
    made: dict[Path, Path] = {}

    def clone(bundle: Path) -> Path:
        if bundle not in made:
            made[bundle] = tmp_path_factory.mktemp("clones") / f"{bundle.stem}.git"
            subprocess.run(("git", "clone", "--quiet", "--mirror", bundle, made[bundle]), check=True)
        return made[bundle]

    return clone


def git(clone: Path, *arguments: str) -> str:
    return subprocess.run(("git", "-C", clone, *arguments), check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("name", "pattern", "count"), CORPORA)
def test_the_whole_history_is_told(shared, clones, connect, name, pattern, count) -> None:
    bundle = shared / f"{name}.bundle"
    connector = connect(bundle, include=(pattern,), history="all")
    listings = list(connector.history(None))
    log = git(
        clones(bundle), "log", "--first-parent", "--reverse", "--format=%H %ct", "main", "--", f":(glob){pattern}"
    )
    told = [
        f"{listing.revision} {int(listing.time.timestamp())}"
        for listing in listings
        if listing.entries or listing.removed
    ]
    assert told == log.splitlines()
    assert len(told) == count
    state: dict[str, str] = {}
    for place, listing in enumerate(listings):
        assert (listing.removed is None) == (place == 0)
        for uri in listing.removed or ():
            del state[uri]
        state |= {entry.uri: entry.stamp for entry in listing.entries}
    assert state == tree(clones(bundle), pattern)
    assert state == {entry.uri: entry.stamp for entry in connector.poll(None).entries}


def tree(clone: Path, pattern: str) -> dict[str, str]:
    """What `git ls-tree` says of the tip's documents, as stamps."""
    directory, _, suffix = pattern.partition("/*")
    lines = [line.split(None, 3) for line in git(clone, "ls-tree", "main", f"{directory}/").splitlines()]
    return {path: f"{blob} {mode}" for mode, _, blob, path in lines if path.endswith(suffix)}


@pytest.mark.parametrize(("name", "pattern"), [corpus[:2] for corpus in CORPORA])
def test_every_fiftieth_commit_is_read_as_git_shows_it(shared, clones, connect, name, pattern) -> None:
    bundle = shared / f"{name}.bundle"
    connector = connect(bundle, include=(pattern,), history="all")
    for listing in list(connector.history(None))[::50]:
        for entry in listing.entries[:3]:
            show = ("git", "-C", clones(bundle), "show", f"{listing.revision}:{entry.uri}")
            assert connector.fetch(entry).content == subprocess.run(show, check=True, capture_output=True).stdout


def test_the_head_of_a_bundle_without_one_is_its_only_branch(shared, connect) -> None:
    listing = connect(shared / "peps.bundle").poll(None)
    assert len(listing.entries) == 751
    assert listing.revision == "5d1c762df96b5f8f6292ad13a7fd976f4687ce29"
    assert listing.skipped == {}
