"""A git source at its tip: which commit is followed, what is listed, and that a repository is never written to."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.protocol import Entry
from kb.errors import DocumentGone, ExtractionError, SourceUnavailable

COMMITTED = datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def uris(listing) -> list[str]:
    return [entry.uri for entry in listing.entries]


def test_a_listing_tells_commit_time_and_subject(repository, connect) -> None:
    commit = repository.commit("The first\n\nWith a body", a__md=b"1", b__txt=b"2")
    listing = connect(repository, include=("*.md",)).poll(None)
    blob = repository.git("rev-parse", "HEAD:a.md")
    assert listing.entries == (Entry("a.md", f"{blob} 100644", commit),)
    assert (listing.revision, listing.time, listing.message) == (commit, COMMITTED, "The first")
    assert listing.removed is None


def test_a_file_carries_its_commit_and_time(repository, connect) -> None:
    commit = repository.commit(a__md=b"1")
    connector = connect(repository)
    fetched = connector.fetch(connector.poll(None).entries[0])
    assert (fetched.content, fetched.revision, fetched.modified_at) == (b"1", commit, COMMITTED)


def test_an_old_commit_is_read_as_it_was(repository, connect) -> None:
    first = repository.commit(a__md=b"1")
    second = repository.commit(a__md=b"2")
    connector = connect(repository)
    assert [connector.fetch(Entry("a.md", "", commit)).content for commit in (first, second, first)] == [
        b"1",
        b"2",
        b"1",
    ]


def test_at_the_checkpoint_nothing_is_listed(repository, connect) -> None:
    repository.commit(a__md=b"1")
    connector = connect(repository)
    checkpoint = connector.poll(None).checkpoint
    listing = connector.poll(checkpoint)
    assert (listing.entries, listing.removed, listing.checkpoint) == ((), frozenset(), checkpoint)


def test_other_patterns_are_noticed_at_the_same_commit(repository, connect) -> None:
    repository.commit(a__md=b"1", b__txt=b"2")
    checkpoint = connect(repository, include=("*.md",)).poll(None).checkpoint
    listing = connect(repository).poll(checkpoint)
    assert uris(listing) == ["a.md", "b.txt"]
    assert listing.removed is None


def test_a_mode_is_part_of_the_stamp(repository, connect) -> None:
    repository.commit(a__md=b"1")
    before = connect(repository).poll(None).entries[0].stamp
    (repository.path / "a.md").chmod(0o755)
    repository.commit()
    assert connect(repository).poll(None).entries[0].stamp != before


@pytest.fixture
def branched(repository):
    """main, dev and a tag, each with its own file; HEAD is main."""
    repository.commit(main__md=b"1")
    repository.git("tag", "light")
    repository.git("checkout", "--quiet", "-b", "dev")
    repository.commit(dev__md=b"1")
    repository.git("tag", "--annotate", "--message", "words", "v1")
    repository.git("checkout", "--quiet", "main")
    repository.commit(later__md=b"1")
    return repository


@pytest.mark.parametrize("through", ["directory", "bundle", "url"])
@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (None, ["later.md", "main.md"]),
        ("main", ["later.md", "main.md"]),
        ("main~1", ["main.md"]),
        ("dev", ["dev.md", "main.md"]),
        ("refs/heads/dev", ["dev.md", "main.md"]),
        ("v1", ["dev.md", "main.md"]),
        ("light", ["main.md"]),
        ("COMMIT", ["dev.md", "main.md"]),
    ],
)
def test_the_ref_that_is_followed(branched, connect, tmp_path, through, ref, expected) -> None:
    url = {"directory": branched.path, "url": f"file://{branched.path}", "bundle": tmp_path / "b.bundle"}[through]
    branched.bundle(tmp_path / "b.bundle", "--all", "HEAD")
    if ref == "COMMIT":
        ref = branched.git("rev-parse", "dev")
    assert uris(connect(url, ref=ref).poll(None)) == expected


def test_a_branch_comes_before_a_tag_of_its_name(branched, connect) -> None:
    branched.git("tag", "dev", "main~1")
    assert uris(connect(branched, ref="dev").poll(None)) == ["dev.md", "main.md"]


def test_a_missing_ref_is_named_with_the_branches(branched, connect) -> None:
    with pytest.raises(SourceUnavailable, match="no branch, tag or commit mian; its branches: dev, main"):
        connect(branched, ref="mian").poll(None)


def test_without_a_head_the_only_branch_is_meant(repository, connect, tmp_path) -> None:
    repository.commit(a__md=b"1")
    repository.git("branch", "--move", "trunk")
    bundle = repository.bundle(tmp_path / "b.bundle", "refs/heads/trunk")
    assert uris(connect(bundle).poll(None)) == ["a.md"]


def test_with_a_dangling_head_main_is_meant(branched, connect) -> None:
    branched.git("symbolic-ref", "HEAD", "refs/heads/none")
    assert uris(connect(branched).poll(None)) == ["later.md", "main.md"]


def test_with_nothing_to_go_by_the_branches_are_named(branched, connect) -> None:
    branched.git("branch", "--move", "main", "other")
    branched.git("symbolic-ref", "HEAD", "refs/heads/none")
    with pytest.raises(SourceUnavailable, match="give ref=BRANCH, one of: dev, other"):
        connect(branched).poll(None)


def test_a_repository_without_a_commit_is_unavailable(repository, connect) -> None:
    with pytest.raises(SourceUnavailable, match="one of: none"):
        connect(repository).poll(None)


def test_a_detached_head_is_followed(branched, connect) -> None:
    branched.git("checkout", "--quiet", "--detach", "dev")
    assert uris(connect(branched).poll(None)) == ["dev.md", "main.md"]
    assert uris(connect(f"file://{branched.path}").poll(None)) == ["dev.md", "main.md"]


def test_a_worktree_and_a_bare_repository_are_read(branched, connect, tmp_path) -> None:
    branched.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "dev")
    branched.git("clone", "--quiet", "--bare", str(branched.path), str(tmp_path / "bare.git"))
    assert uris(connect(tmp_path / "tree").poll(None)) == ["dev.md", "main.md"]
    assert uris(connect(tmp_path / "bare.git").poll(None)) == ["later.md", "main.md"]


@pytest.mark.parametrize("through", ["bundle", "url"])
def test_a_mirror_follows_its_remote(repository, connect, tmp_path, through) -> None:
    bundle = tmp_path / "b.bundle"
    connector = connect(bundle if through == "bundle" else f"file://{repository.path}")
    for content in (b"1", b"2", b"3"):
        commit = repository.commit(a__md=content)
        repository.bundle(bundle)
        listing = connector.poll(None)
        assert listing.revision == commit
        assert connector.fetch(listing.entries[0]).content == content


def test_a_mirror_keeps_what_its_remote_drops(repository, connect) -> None:
    repository.commit(a__md=b"1")
    connector = connect(f"file://{repository.path}")
    (entry,) = connector.poll(None).entries
    repository.git("commit", "--quiet", "--amend", "--message", "Rewritten")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    connector.poll(None)
    assert connector.fetch(entry).content == b"1"


def test_a_mirror_is_made_again_when_it_is_lost(repository, connect, tmp_path) -> None:
    repository.commit(a__md=b"1")
    (entry,) = connect(f"file://{repository.path}").poll(None).entries
    (tmp_path / "workspace").rename(tmp_path / "lost")
    assert connect(f"file://{repository.path}").fetch(entry).content == b"1"


def test_a_remote_head_that_moves_is_followed(branched, connect) -> None:
    connector = connect(f"file://{branched.path}")
    assert uris(connector.poll(None)) == ["later.md", "main.md"]
    branched.git("symbolic-ref", "HEAD", "refs/heads/dev")
    assert uris(connector.poll(None)) == ["dev.md", "main.md"]


def footprint(path: Path) -> dict[str, tuple[int, int, int]]:
    """All that lies under a path, with what a write would change."""
    found = {}
    for directory, names, files in os.walk(path):
        for name in (*names, *files):
            stat = os.lstat(os.path.join(directory, name))
            found[os.path.join(directory, name)] = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
    return found


def test_a_local_repository_is_never_written_to(branched, connect, tmp_path) -> None:
    before = footprint(branched.path)
    for history in ("tip", "all", "since:light"):
        connector = connect(branched, history=history)
        for listing in connector.history(None):
            for entry in listing.entries:
                connector.fetch(entry)
        connector.poll(None)
    assert footprint(branched.path) == before
    assert not (tmp_path / "workspace").exists()


def test_what_is_not_a_document_is_counted(repository, connect, tmp_path) -> None:
    inner = type(repository)(tmp_path / "inner")
    inner.commit(x__md=b"1")
    repository.git("submodule", "--quiet", "add", str(inner.path), "module")
    (repository.path / "link.md").symlink_to("a.md")
    repository.write("large.bin", POINTER)
    repository.write("small.md", b"version 1 of a text")
    repository.commit(a__md=b"1")
    listing = connect(repository, exclude=(".gitmodules",)).poll(None)
    assert uris(listing) == ["a.md", "small.md"]
    assert listing.skipped == {"submodule": 1, "symlink": 1, "LFS pointer": 1}
    assert connect(repository, include=("*.md",), exclude=("link.md",)).poll(None).skipped == {}


def test_thousands_of_small_files_are_told_from_pointers(repository, connect) -> None:
    for number in range(1203):
        repository.write(f"{number % 7}/{number}.md", POINTER if number % 100 == 0 else str(number).encode() * 100)
    repository.commit()
    listing = connect(repository).poll(None)
    assert len(listing.entries) == 1190
    assert listing.skipped == {"LFS pointer": 13}


def test_what_is_too_large_is_not_read_and_the_next_is(repository, connect) -> None:
    repository.commit(large__md=b"x" * 5_000_000, small__md=b"1")
    connector = connect(repository)
    large, small = connector.poll(None).entries
    for _ in range(2):
        with pytest.raises(ExtractionError, match="5,000,000 bytes") as caught:
            connector.fetch(large)
        assert caught.value.reason == "too large"
        assert connector.fetch(small).content == b"1"


def test_a_path_that_the_commit_lacks_is_gone(repository, connect) -> None:
    commit = repository.commit(a__md=b"1")
    for uri in ("none.md", "two%0Alines.md"):
        with pytest.raises(DocumentGone, match=f"is not in commit {commit}"):
            connect(repository).fetch(Entry(uri, "", commit))


def test_a_closed_connector_reads_again(repository, connect) -> None:
    repository.commit(a__md=b"1")
    connector = connect(repository)
    (entry,) = connector.poll(None).entries
    for _ in range(2):
        assert connector.fetch(entry).content == b"1"
        connector.close()
