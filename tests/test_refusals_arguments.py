"""Arguments that mean nothing are refused in one line that names them and the remedy, and nothing changes."""

from pathlib import Path

import pytest
from crash_support import call, command
from refusals_support import Words, check, folder_home, unchanged

REFUSED: dict[str, tuple[Words, int, Words]] = {
    "version": (("show", "99"), 3, ("version 99", "newest is 1")),
    "version 0": (("show", "0"), 3, ("version 0",)),
    "before the first": (("show", "head~5"), 3, ("head~5",)),
    "reference": (("show", "haed"), 3, ("'haed'", "did you mean 'head'")),
    "as of": (("search", "alpha", "--as-of", "99"), 3, ("version 99",)),
    "end of a diff": (("diff", "1", "99"), 3, ("version 99",)),
    "empty query": (("search", ""), 2, ("query is empty", "give some words")),
    "blank query": (("search", " \t\n"), 2, ("query is empty",)),
    "k 0": (("search", "alpha", "-k", "0"), 2, ("k must be from 1",)),
    "k -1": (("search", "alpha", "-k", "-1"), 2, ("k must be from 1",)),
    "long query": (("search", "x" * 100_000), 2, ("100000 characters", "10000")),
    "mode": (("search", "alpha", "--mode", "fuzzy"), 2, ("'fuzzy'", "hybrid")),
    "filter": (("search", "alpha", "--filter", "sauce=docs"), 2, ("'sauce'", "did you mean 'source'")),
    "filter's form": (("search", "alpha", "--filter", "docs"), 2, ("'docs'", "key=value")),
    "tag of digits": (("tag", "7"), 2, ("'7'", "already means version 7")),
    "tag head": (("tag", "head"), 2, ("'head'", "another name")),
    "tag of a date": (("tag", "2024-01-01"), 2, ("'2024-01-01'",)),
    "tag with a space": (("tag", "a b"), 2, ("'a b'",)),
    "tag of nothing": (("tag", "good", "99"), 3, ("version 99",)),
    "lost tag": (("tag", "--delete", "gone"), 3, ("'gone'", "kb tag --list")),
    "document": (("cat", "docs:none.md"), 3, ("'docs:none.md'",)),
    "history": (("history", "nonsense"), 3, ("'nonsense'",)),
    "source to sync": (("sync", "dox"), 3, ("'dox'", "known: docs")),
    "source to plan": (("plan", "dox"), 3, ("'dox'", "known: docs")),
    "source to show": (("source", "show", "dox"), 3, ("'dox'", "known: docs")),
    "source to log": (("log", "--source", "dox"), 3, ("'dox'", "known: docs")),
    "source to remove": (("source", "remove", "dox"), 3, ("'dox'", "known: docs")),
    "source to change": (("source", "set", "dox", "path=."), 3, ("'dox'", "known: docs")),
    "source twice": (("source", "add", "docs", "folder", "path=."), 2, ("'docs'", "kb source set")),
    "source's name": (("source", "add", "a:b", "folder", "path=."), 2, ("'a:b'",)),
    "kind": (("source", "add", "new", "foldr", "path=."), 2, ("foldr", "did you mean `folder`")),
    "option": (("source", "add", "new", "folder", "pth=."), 2, ("pth", "did you mean `path`")),
    "option changed": (("source", "set", "docs", "exclud=*.md"), 2, ("exclud", "did you mean `exclude`")),
    "option missing": (("source", "add", "new", "folder"), 2, ("`path` is missing",)),
    "option's form": (("source", "add", "new", "folder", "path"), 2, ("'path'", "key=value")),
    "option twice": (("source", "add", "new", "folder", "path=a", "path=b"), 2, ("'path'", "twice")),
    "source to filter by": (("search", "alpha", "--filter", "source=dox"), 3, ("'dox'", "known: docs")),
    "source of a document": (("cat", "dox:one.md"), 3, ("'dox'", "known: docs")),
    "tag HEAD": (("tag", "HEAD"), 2, ("'HEAD'", "another name")),
    "query of a diff": (("diff", "1", "--query", "alpha"), 2, ("--level results",)),
    "query of broken bytes": (("search", "\udcff"), 2, ("not valid Unicode",)),
    "command": (("serch", "alpha"), 2, ("serch",)),
    "flag": (("search", "alpha", "--asof", "1"), 2, ("--asof", "--as-of")),
    "results without a query": (("diff", "1", "1", "--level", "results"), 2, ("add --query",)),
    "retention without a rule": (("retain",), 2, ("no rule", "--keep-last 10")),
    "retention of a dry run alone": (("retain", "--dry-run"), 2, ("no rule",)),
    "keep 0": (("retain", "--keep-last", "0"), 2, ("--keep-last", "1 or more", "not 0")),
    "keep -1": (("retain", "--keep-weekly", "-1"), 2, ("--keep-weekly", "not -1")),
    "keep 0 beside a good rule": (("retain", "--keep-monthly", "0", "--keep-tagged"), 2, ("--keep-monthly",)),
    "keep some": (("retain", "--keep-daily", "some"), 2, ("'--keep-daily'", "'some'")),
    "keep within nothing": (("retain", "--keep-within", "0d"), 2, ("--keep-within", "'0d'", "2y5m7d3h")),
    "keep within a word": (("retain", "--keep-within", "week", "--keep-last", "1"), 2, ("--keep-within", "'week'")),
    "quarantine of no source": (("quarantine", "list", "dox"), 3, ("'dox'",)),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for what is refused before anything could change."""
    return folder_home(tmp_path_factory.mktemp("kept"), {"one.md": "# One\n\nalpha"})


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_refused(kept: Path, refused: tuple[Words, int, Words]) -> None:
    arguments, code, words = refused
    with unchanged(kept):
        check(call("--home", kept, *arguments, "--json"), code, *words)
        check(call("--home", kept, *arguments), code, *words)


@pytest.mark.parametrize("case", ["version", "long query", "kind", "tag of digits"])
def test_refused_by_the_command_itself(kept: Path, case: str) -> None:
    arguments, code, words = REFUSED[case]
    with unchanged(kept):
        check(command(*arguments, "--json", home=kept), code, *words)
