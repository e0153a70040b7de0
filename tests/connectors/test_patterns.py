"""Selections: included and not excluded, as gitignore reads patterns."""

from pathlib import Path

import pytest

from connectors import patterns

PLACE = Path()
URIS = ["readme.md", "docs/a.md", "docs/deep/b.md", "docs/c.txt", "src/docs/d.md", "notes.tmp", "a b/ü.md"]


def selected(include: list[str], exclude: list[str] = ()) -> list[str]:
    selection = patterns.select(include, exclude)
    return [uri for uri in URIS if selection.selects(uri)]


def test_without_patterns_everything_is_selected() -> None:
    assert selected([]) == URIS


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["*.md"], [], ["readme.md", "docs/a.md", "docs/deep/b.md", "src/docs/d.md", "a b/ü.md"]),
        (["/*.md"], [], ["readme.md"]),
        (["docs/*.md"], [], ["docs/a.md"]),
        (["/docs/"], [], ["docs/a.md", "docs/deep/b.md", "docs/c.txt"]),
        (["docs/**/*.md"], [], ["docs/a.md", "docs/deep/b.md"]),
        (["*.md"], ["docs/"], ["readme.md", "a b/ü.md"]),
        ([], ["*", "!*.tmp"], ["notes.tmp"]),
        (["*.md", "!readme.md"], [], ["docs/a.md", "docs/deep/b.md", "src/docs/d.md", "a b/ü.md"]),
    ],
)
def test_included_and_not_excluded(include: list[str], exclude: list[str], expected: list[str]) -> None:
    assert selected(include, exclude) == expected


def test_a_directory_is_pruned_only_where_nothing_in_it_can_be_selected() -> None:
    assert patterns.select([], ["node_modules/"]).prunes("a/node_modules")
    assert not patterns.select([], ["*.md"]).prunes("docs")
    assert not patterns.select([], ["docs/*", "!docs/keep/"]).prunes("docs/keep")
    assert not patterns.select(["*.md"], []).prunes("docs")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("*.md, docs/**", ("*.md", "docs/**")),
        ("*.md\ndocs/**\n", ("*.md", "docs/**")),
        ("a\\,b.md", ("a\\,b.md",)),
        ("a b.md", ("a b.md",)),
        ("", ()),
        (["*.md", "a,b.md"], ("*.md", "a,b.md")),
    ],
)
def test_how_patterns_are_given(value: object, expected: tuple[str, ...]) -> None:
    assert patterns.split(value, PLACE) == expected


def test_a_comma_in_a_name_is_written_with_a_backslash() -> None:
    selection = patterns.select(patterns.split("a\\,b.md", PLACE), [])
    assert selection.selects("a,b.md")
    assert not selection.selects("a")


@pytest.mark.parametrize("value", [7, ["*.md", 7], {"a": 1}, "!", "a\\", ["\ud800"]])
def test_what_is_no_pattern_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="pattern"):
        patterns.split(value, PLACE)


@pytest.mark.parametrize("value", ["!*.tmp", "# a comment", ["!a", "!b"]])
def test_an_include_that_selects_nothing_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="selects nothing"):
        patterns.including(value, PLACE)


def test_the_digest_tells_selections_apart() -> None:
    digests = {patterns.select(*lists).digest for lists in [((), ()), (("a",), ()), ((), ("a",)), (("a", "b"), ())]}
    assert len(digests) == 4
