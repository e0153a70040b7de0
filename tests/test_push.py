"""Documents that are pushed: the command, and their way through a sync into the index."""

import os
import subprocess
from pathlib import Path

import pytest
from cli_shapes import SOURCE, check_shape
from cli_support import reply, said
from crash_support import KB, Called, call, sync, write

from indexer.creation import create
from indexer.writer import Writer
from kb.errors import Conflict
from kb.pushing import Delete, Put

RECEIPT = {"sequence": int, "documents": [{"uri": str, "outcome": str}]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a push source `inbox`, seen from a directory with two files."""
    write(tmp_path / "here", {"a.md": "# A\n\nalpha", "sub/b.md": "# B\n\nbeta"})
    monkeypatch.chdir(tmp_path / "here")
    home = create(tmp_path / "home", "hashing:32")[0].path
    reply(home, "source", "add", "inbox", "push")
    return home


def pushed(home: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    receipt = reply(home, "push", "inbox", *arguments)
    check_shape(receipt, RECEIPT)
    return receipt["sequence"], {one["uri"]: one["outcome"] for one in receipt["documents"]}


def piped(home: Path, text: bytes, *arguments: str) -> Called:
    ran = subprocess.run([KB, "--home", home, "push", "inbox", *arguments], input=text, capture_output=True)
    return Called(ran.returncode, ran.stdout, ran.stderr.decode())


def uris(home: Path) -> set[str]:
    return {hit["provenance"]["uri"] for hit in reply(home, "search", "alpha beta")["hits"]}


def spools(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "workspace" / "push").iterdir())


def test_what_is_pushed_is_indexed_by_the_next_sync(home: Path) -> None:
    assert pushed(home, "a.md", "./sub//b.md") == (2, {"a.md": "added", "sub/b.md": "added"})
    sync(home)
    assert uris(home) == {"a.md", "sub/b.md"}
    (hit,) = reply(home, "search", "alpha", "-k", "1", "--mode", "bm25")["hits"]
    assert (hit["provenance"]["source_revision"], hit["provenance"]["modified_at"] is None) == ("1", False)
    assert reply(home, "status")["sources"][0]["source_revision"] == "2"
    assert pushed(home, "a.md", "--delete") == (3, {"a.md": "removed"})
    assert said(home, "push", "inbox", "a.md", "--delete") == "absent     inbox:a.md\n"
    sync(home)
    assert uris(home) == {"sub/b.md"}
    assert reply(home, "verify", "--sources")["findings"] == []


def test_a_uri_of_its_own_and_standard_input(home: Path) -> None:
    address = "https://example.org/a?b=c"
    assert pushed(home, str(Path("a.md").absolute()), "--uri", address) == (1, {address: "added"})
    assert piped(home, b"# C\n\nalpha", "-", "--uri", "c.md") == Called(0, b"added      inbox:c.md\n", "")
    sync(home)
    assert uris(home) == {address, "c.md"}
    assert pushed(home, "-", "--uri", address, "--delete") == (3, {address: "removed"})


def test_a_key_makes_a_push_happen_once(home: Path) -> None:
    first = pushed(home, "a.md", "--key", "k")
    write(Path("."), {"b.md": "other"})
    os.utime("a.md", (1, 1))
    assert pushed(home, "a.md", "--key", "k") == first
    refused = call("--home", home, "push", "inbox", "b.md", "--key", "k")
    assert (refused.code, refused.out) == (2, b"")
    assert "'k' was used for other content" in refused.error


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["inbox", "a.md", "none.md"], 2, "none.md cannot be read: No such file or directory; nothing was pushed"),
        (["inbox", "a.md", "sub"], 2, "sub cannot be read: Is a directory"),
        (["inbox", "a.md", "pipe"], 2, "pipe is not a plain file"),
        (["inbox", "a.md", "./a.md"], 2, "a.md is named twice"),
        (["inbox", "a.md", "../here/a.md"], 2, "outside the current directory: name it by --uri"),
        (["inbox", "a.md", "large.md"], 2, "large.md has more than the 1,048,576 bytes"),
        (["inbox", "a.md", "--uri", ""], 2, "needs a URI"),
        (["inbox", "a.md", "--uri", "a\nb"], 2, "control characters"),
        (["inbox", "a.md", "sub/b.md", "--uri", "x"], 2, "give one FILE"),
        (["inbox", "-"], 2, "standard input has no name"),
        (["inbox"], 2, "FILE"),
        (["docs", "a.md"], 2, "source 'docs' is of kind folder"),
        (["nowhere", "a.md"], 3, "no source 'nowhere'"),
    ],
)
def test_what_cannot_be_pushed_is_refused_in_one_line(home: Path, arguments: list[str], code: int, words: str) -> None:
    (home / "config.toml").write_text('model = "hashing:32"\nmax_document_mb = 1\n')
    reply(home, "source", "add", "docs", "folder", "path=.")
    write(Path("."), {"large.md": b"1" * (2**20 + 1)})
    os.mkfifo("pipe")
    refused = call("--home", home, "push", *arguments)
    assert (refused.code, refused.out) == (code, b"")
    assert words in refused.error
    assert refused.error.count("\n") == 1
    assert reply(home, "source", "check", "inbox")["documents"] == 0


def test_names_that_are_no_text_have_one_uri(home: Path) -> None:
    os.close(os.open(b"caf\xe9\n.md", os.O_CREAT))
    assert pushed(home, os.fsdecode(b"caf\xe9\n.md")) == (1, {"caf%E9%0A.md": "added"})


def test_two_sources_share_nothing(home: Path) -> None:
    reply(home, "source", "add", "other", "push")
    pushed(home, "a.md", "--key", "k")
    assert reply(home, "push", "other", "sub/b.md", "--key", "k")["documents"] == [
        {"uri": "sub/b.md", "outcome": "added"}
    ]
    assert [reply(home, "source", "check", name)["documents"] for name in ("inbox", "other")] == [1, 1]
    taken = reply(home, "source", "show", "inbox")["options"]["spool"]
    for command in (("add", "third", "push"), ("set", "other")):
        refused = call("--home", home, "source", *command, f"spool={taken}")
        assert (refused.code, "spool" in refused.error) == (2, True)
    assert len(spools(home)) == 2


def test_a_source_that_is_added_again_begins_empty(home: Path) -> None:
    pushed(home, "a.md")
    sync(home)
    before = spools(home)
    reply(home, "source", "remove", "inbox")
    assert spools(home) == []
    check_shape(reply(home, "source", "add", "inbox", "push"), SOURCE)
    assert spools(home) != before
    assert call("--home", home, "push", "inbox", "--delete", "a.md").out == b"absent     inbox:a.md\n"
    refused = call("--home", home, "sync")
    assert refused.code == 6
    assert "lost 1 of its 1 documents" in refused.error
    assert uris(home) == {"a.md"}
    sync(home)
    assert uris(home) == set()


def test_a_name_that_is_taken_costs_no_spool(home: Path) -> None:
    before = spools(home)
    assert call("--home", home, "source", "add", "inbox", "push").code == 2
    assert spools(home) == before


def test_a_lost_spool_deletes_nothing(home: Path) -> None:
    pushed(home, "a.md")
    sync(home)
    (home / "workspace").rename(home.parent / "away")
    refused = call("--home", home, "sync")
    assert refused.code == 6
    assert "is lost; restore it" in refused.error
    assert call("--home", home, "push", "inbox", "a.md").code == 1
    assert uris(home) == {"a.md"}
    (home.parent / "away").rename(home / "workspace")
    assert pushed(home, "a.md") == (1, {"a.md": "unchanged"})
    (home / "workspace").rename(home.parent / "away")
    assert reply(home, "source", "remove", "inbox", "--purge")["version"] == 2


def test_the_verb_takes_what_the_command_cannot_say(home: Path) -> None:
    writer = Writer(home)
    receipt = writer.push("inbox", [Put("a", b"# A\n\nalpha", "text/markdown", {"team": "x"}, ("staff",))], key="k")
    with pytest.raises(Conflict):
        writer.push("inbox", [Delete("a")], key="k")
    assert receipt.sequence == 1
    sync(home)
    assert reply(home, "search", "alpha", "--filter", "team=x", "--group", "staff")["hits"]
    assert reply(home, "search", "alpha", "--group", "others")["hits"] == []
