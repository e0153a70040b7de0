"""A git source with its past: one listing per first-parent commit that touches a document, and rewrites noticed."""

from itertools import pairwise

import pytest

from connectors.protocol import Listing
from kb.errors import SourceUnavailable


def told(listings: list[Listing]) -> list[tuple[str, list[str], list[str] | None]]:
    """Message, entries and removals (None where complete) of each listing."""
    return [
        (
            listing.message,
            [entry.uri for entry in listing.entries],
            None if listing.removed is None else sorted(listing.removed),
        )
        for listing in listings
    ]


@pytest.fixture
def follow(connect):
    """All listings since a checkpoint; Markdown alone."""

    def run(repository, checkpoint: str | None = None, history: str = "all", **options) -> list[Listing]:
        return list(connect(repository, include=("*.md",), history=history, **options).history(checkpoint))

    return run


def test_each_commit_that_touches_a_document_is_told(repository, follow) -> None:
    ids = [
        repository.commit("one", a__md=b"1", b__md=b"1"),
        repository.commit("two", a__md=b"2", c__txt=b"x"),
        repository.commit("three", b__md=None, d__md=b"1"),
    ]
    listings = follow(repository)
    assert told(listings) == [
        ("one", ["a.md", "b.md"], None),
        ("two", ["a.md"], []),
        ("three", ["d.md"], ["b.md"]),
    ]
    assert [listing.revision for listing in listings] == ids
    assert [entry.locator for listing in listings for entry in listing.entries] == [ids[0], ids[0], ids[1], ids[2]]
    gaps = [(after.time - before.time).seconds for before, after in pairwise(listings)]
    assert gaps == [60, 60]


def test_commits_that_touch_no_document_are_passed(repository, follow) -> None:
    zero = repository.commit("zero", x__txt=b"0")
    repository.commit("one", a__md=b"1")
    two = repository.commit("two")
    three = repository.commit("three", x__txt=b"3")
    repository.commit("four", a__md=b"4")
    listings = follow(repository)
    assert told(listings) == [("one", ["a.md"], None), ("four", ["a.md"], [])]
    assert [[revision for revision, _ in listing.passed] for listing in listings] == [[zero], [two, three]]
    times = [time for listing in listings for _, time in listing.passed]
    assert times == sorted(times)


def test_the_last_commits_are_passed_by_a_listing_without_entries(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    two = repository.commit("two")
    three = repository.commit("three", x__txt=b"3")
    first, last = follow(repository)
    assert told([last]) == [("three", [], [])]
    assert (last.revision, [revision for revision, _ in last.passed]) == (three, [two])
    assert follow(repository, last.checkpoint) == []
    assert told(follow(repository, first.checkpoint)) == [("three", [], [])]


def test_a_history_without_a_document_is_passed_whole(repository, follow) -> None:
    repository.commit("one", x__txt=b"1")
    repository.commit("two", x__txt=b"2")
    (passing,) = follow(repository)
    assert told([passing]) == [("two", [], [])]
    repository.commit("three", a__md=b"3")
    (last,) = follow(repository, passing.checkpoint)
    assert told([last]) == [("three", ["a.md"], [])]


def test_every_checkpoint_is_a_place_to_go_on_from(repository, follow) -> None:
    for number in range(4):
        repository.commit(str(number), a__md=str(number).encode())
    listings = follow(repository)
    for place, listing in enumerate(listings):
        assert follow(repository, listing.checkpoint) == listings[place + 1 :]


def test_a_merge_is_one_listing(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.commit("topic one", b__md=b"1")
    repository.commit("topic two", c__md=b"1", a__md=None)
    repository.git("checkout", "--quiet", "main")
    repository.commit("two", d__md=b"1")
    repository.git("merge", "--quiet", "--no-ff", "--message", "merged", "topic")
    assert told(follow(repository)) == [
        ("one", ["a.md"], None),
        ("two", ["d.md"], []),
        ("merged", ["b.md", "c.md"], ["a.md"]),
    ]


def test_a_rename_is_a_removal_and_an_entry(repository, follow) -> None:
    repository.commit("one", a__md=b"a long enough text\n" * 20)
    repository.git("mv", "a.md", "b.md")
    repository.commit("two")
    assert told(follow(repository))[1:] == [("two", ["b.md"], ["a.md"])]


def test_what_stops_being_a_document_is_removed_and_may_come_back(repository, follow) -> None:
    repository.commit("file", a__md=b"1", b__md=b"1")
    repository.write("a.md", None)
    (repository.path / "a.md").symlink_to("b.md")
    repository.commit("link")
    (repository.path / "a.md").unlink()
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    repository.commit("pointer", a__md=pointer)
    repository.commit("file again", a__md=b"1")
    listings = follow(repository)
    assert told(listings)[1:] == [("link", [], ["a.md"]), ("file again", ["a.md"], [])]
    assert listings[1].skipped == {"symlink": 1}


def test_the_tip_alone_is_told_when_no_past_is_asked_for(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    repository.commit("two", b__md=b"1")
    (listing,) = follow(repository, history="tip")
    assert told([listing]) == [("two", ["a.md", "b.md"], None)]
    assert follow(repository, listing.checkpoint, history="tip") == []


def test_the_past_can_be_asked_for_later_on(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    (listing,) = follow(repository, history="tip")
    repository.commit("two", b__md=b"1")
    assert told(follow(repository, listing.checkpoint)) == [("two", ["b.md"], [])]


def test_since_begins_at_that_commit(repository, follow) -> None:
    for number in range(5):
        repository.commit(str(number), **{f"{number}__md": b"1"})
    repository.git("tag", "start", "HEAD~2")
    for name in ("start", "HEAD~2", repository.git("rev-parse", "start"), "main~2"):
        assert told(follow(repository, history=f"since:{name}")) == [
            ("2", ["0.md", "1.md", "2.md"], None),
            ("3", ["3.md"], []),
            ("4", ["4.md"], []),
        ]
    assert told(follow(repository, history="since:HEAD")) == [("4", [f"{n}.md" for n in range(5)], None)]


def test_since_a_commit_that_is_not_there_is_refused_at_the_tip_too(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    [listing] = follow(repository)
    for checkpoint in (None, listing.checkpoint):
        with pytest.raises(SourceUnavailable, match="zzzz"):
            follow(repository, checkpoint, history="since:zzzz")


def test_since_a_commit_before_any_document(repository, follow) -> None:
    repository.commit("zero", x__txt=b"1")
    repository.commit("one", x__txt=b"2")
    repository.commit("two", a__md=b"1")
    assert told(follow(repository, history="since:HEAD~2")) == [("two", ["a.md"], None)]


def test_since_a_side_branch_begins_where_it_left(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.commit("topic", b__md=b"1")
    repository.git("checkout", "--quiet", "main")
    repository.commit("two", c__md=b"1")
    repository.git("merge", "--quiet", "--no-ff", "--message", "merged", "topic")
    assert told(follow(repository, history="since:topic")) == [
        ("one", ["a.md"], None),
        ("two", ["c.md"], []),
        ("merged", ["b.md"], []),
    ]


def test_since_what_is_not_there_is_refused(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    with pytest.raises(SourceUnavailable, match="has no commit v9 to begin at"):
        follow(repository, history="since:v9")


@pytest.mark.parametrize("through", ["directory", "url"])
def test_a_rewritten_history_is_noticed_and_told_whole(repository, follow, through) -> None:
    url = repository.path if through == "directory" else f"file://{repository.path}"
    repository.commit("one", a__md=b"1")
    old = repository.commit("two", b__md=b"1")
    checkpoint = follow(url)[-1].checkpoint
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.commit("other", c__md=b"1")
    (listing,) = follow(url, checkpoint)
    message = f"other (history was rewritten: commit {old[:12]} is no longer on its line)"
    assert told([listing]) == [(message, ["a.md", "c.md"], None)]
    assert follow(url, listing.checkpoint) == []


def test_a_branch_that_was_set_back_is_noticed(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    repository.commit("two", b__md=b"1")
    checkpoint = follow(repository)[-1].checkpoint
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    (listing,) = follow(repository, checkpoint)
    assert "rewritten" in listing.message
    assert told([listing])[0][1:] == (["a.md"], None)


def test_a_checkpoint_that_was_pruned_or_makes_no_sense_is_a_rewrite(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    selection = follow(repository)[-1].checkpoint.partition(" ")[2]
    for commit in ("1" * 40, "HEAD", "--all", ""):
        (listing,) = follow(repository, f"{commit} {selection}")
        assert "rewritten" in listing.message
        assert told([listing])[0][1:] == (["a.md"], None)


def test_a_checkpoint_that_became_the_second_parent_is_not_replayed(repository, follow) -> None:
    repository.commit("one", a__md=b"1")
    repository.git("checkout", "--quiet", "-b", "local")
    repository.commit("local", b__md=b"1")
    repository.git("checkout", "--quiet", "main")
    repository.commit("two", c__md=b"1")
    checkpoint = follow(repository)[-1].checkpoint
    repository.git("checkout", "--quiet", "local")
    repository.git("merge", "--quiet", "--no-ff", "--message", "merged", "main")
    repository.git("branch", "--force", "main", "local")
    (listing,) = follow(repository, checkpoint, ref="main")
    assert told([listing])[0][1:] == (["a.md", "b.md", "c.md"], None)


def test_other_patterns_are_told_whole(repository, connect) -> None:
    repository.commit("one", a__md=b"1", b__txt=b"1")
    (first,) = connect(repository, include=("*.md",), history="all").history(None)
    (listing,) = connect(repository, history="all").history(first.checkpoint)
    assert told([listing]) == [("one", ["a.md", "b.txt"], None)]


def test_a_shallow_clone_has_a_tip_but_no_past(repository, connect, tmp_path) -> None:
    for number in range(3):
        repository.commit(str(number), **{f"{number}__md": b"1"})
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(tmp_path / "shallow"))
    assert len(connect(tmp_path / "shallow").poll(None).entries) == 3
    with pytest.raises(SourceUnavailable, match=r"shallow clone.*fetch --unshallow"):
        list(connect(tmp_path / "shallow", history="all").history(None))


def test_words_in_any_encoding_are_told(repository, follow) -> None:
    repository.commit("Grüße \x01\x02 an alle", a__md=b"1")
    repository.write("b.md", b"1")
    repository.git("add", "--all")
    repository.git(
        "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--file=-", stdin="Grüße".encode("latin-1")
    )
    assert [listing.message for listing in follow(repository)] == ["Grüße \x01\x02 an alle", "Grüße"]


def test_a_walk_that_is_left_early_leaves_nothing_running(repository, connect) -> None:
    for number in range(3):
        repository.commit(str(number), a__md=str(number).encode())
    connector = connect(repository, history="all")
    walk = connector.history(None)
    assert next(walk).message == "0"
    walk.close()
    assert [listing.message for listing in connector.history(None)] == ["0", "1", "2"]
