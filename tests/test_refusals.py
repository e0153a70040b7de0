"""What cannot be done is refused in one line that names the object and the remedy, and nothing changes."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_support import Called, QuickWriter, call, command, forkserver, frozen, sync, write

import kb
from indexer.creation import create
from kb.embedding.load import locate

NOBODY = 65534
Words = tuple[str, ...]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three documents in one folder, published."""
    write(tmp_path / "docs", {f"{name}.md": f"# {name}\n\nalpha {name}" for name in ("one", "two", "three")})
    home = create(tmp_path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    sync(home)
    return home


@contextmanager
def unchanged(home: Path) -> Iterator[None]:
    before = frozen(home)
    with kb.open(home) as base:
        digest = base.log(1)[0].digest
    yield
    assert frozen(home) == before
    with kb.open(home) as base:
        assert base.log(1)[0].digest == digest


def check(called: Called, code: int, *words: str) -> None:
    """The exit code, one line on stderr with the words in it, and nothing on stdout."""
    assert (called.code, called.out) == (code, b""), called
    assert called.error.startswith("kb: ")
    assert called.error.count("\n") == 1
    assert called.error.endswith("\n")
    assert len(called.error) < 500
    for word in words:
        assert word in called.error


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
    "command": (("serch", "alpha"), 2, ("serch",)),
    "flag": (("search", "alpha", "--asof", "1"), 2, ("--asof", "--as-of")),
    "results without a query": (("diff", "1", "1", "--level", "results"), 2, ("add --query",)),
    "quarantine of no source": (("quarantine", "list", "dox"), 3, ("'dox'",)),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for what is refused before anything could change."""
    path = tmp_path_factory.mktemp("kept")
    write(path / "docs", {"one.md": "# One\n\nalpha"})
    home = create(path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(path / "docs")})
    sync(home)
    return home


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


def test_no_knowledge_base(tmp_path: Path) -> None:
    check(command("log", cwd=tmp_path), 3, str(tmp_path), "kb init", "--home")
    check(command("log", "--json", home=tmp_path / "none"), 3, "none", "init")
    check(call("--home", tmp_path / "none", "sync"), 3, "none")
    assert list(tmp_path.iterdir()) == []


def test_unknown_model(tmp_path: Path) -> None:
    check(call("--home", tmp_path / "home", "init", "--model", "all-MiniLM"), 2, "all-MiniLM", "nothing is downloaded")
    check(call("--home", tmp_path / "home", "init", "--model", str(tmp_path)), 1, str(tmp_path), "modules.json")
    assert not (tmp_path / "home").exists()


def test_init_where_other_files_are(tmp_path: Path) -> None:
    write(tmp_path, {"mine.txt": "mine"})
    check(call("--home", tmp_path, "init", "--model", "hashing:8"), 2, "mine.txt", "--home")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("delete_gard = 0.9", ("config.toml", "`delete_gard`", "did you mean `delete_guard`")),
        ("workers = 'two'", ("config.toml", "`workers`", "int")),
        ("workers = 0", ("`workers`", "too small")),
        ("model = [", ("config.toml", "TOML")),
    ],
)
def test_broken_configuration(home: Path, line: str, words: Words) -> None:
    config = home / "config.toml"
    valid = config.read_text()
    config.write_text(f"{valid}\n{line}\n" if "model" not in line else line)
    for arguments in (("log", "--json"), ("sync", "--json"), ("search", "alpha")):
        check(call("--home", home, *arguments), 2, *words)
    config.write_text(valid)
    assert call("--home", home, "log").code == 0


def test_missing_catalog(home: Path) -> None:
    (home / "catalog.sqlite").rename(home / "elsewhere")
    for arguments in (("log", "--json"), ("sync",), ("search", "alpha", "--json")):
        check(call("--home", home, *arguments), 3, "catalog.sqlite", "restore it")
    assert not (home / "catalog.sqlite").exists()


def test_damaged_catalog(home: Path) -> None:
    (home / "catalog.sqlite").write_bytes(b"not a database" * 1000)
    for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
        (home / name).unlink(missing_ok=True)
    check(call("--home", home, "log", "--json"), 1, "catalog.sqlite", "restore it")


# Sources that cannot be read


def refused_sync(home: Path, *words: str) -> None:
    """A sync whose only source is refused: done in part, told in one line, nothing changed."""
    with unchanged(home):
        called = call("--home", home, "sync")
        check(called, 6, "docs" if not words else words[0], *words)
        assert call("--home", home, "sync", "--json").code == 6
    assert "failing" in call("--home", home, "status").out.decode()


def test_vanished_folder(home: Path) -> None:
    shutil.rmtree(home.parent / "docs")
    refused_sync(home, str(home.parent / "docs"), "restore or mount it")


def test_emptied_folder(home: Path) -> None:
    """What an unmounted disk looks like."""
    for path in (home.parent / "docs").iterdir():
        path.unlink()
    refused_sync(home, "'docs'", "lost 3 of its 3 documents", "--allow-deletes")


def test_more_than_half_lost(home: Path) -> None:
    (home.parent / "docs" / "one.md").unlink()
    (home.parent / "docs" / "two.md").unlink()
    refused_sync(home, "'docs'", "lost 2 of its 3 documents", "--allow-deletes")
    assert call("--home", home, "sync", "--allow-deletes").code == 0
    with kb.open(home) as base:
        assert [document.uri for document in base.documents()] == ["three.md"]


def test_less_than_half_lost(home: Path) -> None:
    (home.parent / "docs" / "one.md").unlink()
    assert call("--home", home, "sync").code == 0
    with kb.open(home) as base:
        assert base.log(1)[0].documents.removed == 1


@pytest.mark.parametrize("url", ["/nowhere/at/all", "https://127.0.0.1:9/none.git", "file:///nowhere.git"])
def test_git_that_cannot_be_read(home: Path, url: str) -> None:
    writer = QuickWriter(home)
    writer.remove_source("docs")
    writer.add_source("code", "git", {"url": url})
    refused_sync(home, url)


def test_one_source_fails_and_the_other_is_published(home: Path) -> None:
    writer = QuickWriter(home)
    writer.add_source("absent", "folder", {"path": str(home.parent / "absent")})
    write(home.parent / "docs", {"four.md": "# Four\n\nalpha"})
    called = call("--home", home, "sync", "--message", "again")
    assert called.code == 6
    assert str(home.parent / "absent") in called.error
    assert called.error.count("\n") == 1
    with kb.open(home) as base:
        assert [snapshot.message for snapshot in base.log()] == ["again", None]
        assert base.status().documents == 4
        failing = {one.source.name: one.last_error for one in base.status().sources}
    assert failing["docs"] is None
    assert "absent" in str(failing["absent"])


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter, unlike pytest's own, with a folder and a home that is NOBODY's."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    write(path / "docs", {"one.md": "# One\n\nalpha", "inner/two.md": "# Two\n\nbeta"})
    home = create(path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(path / "docs")})
    sync(home)
    if not os.geteuid():
        for each in (home, *home.rglob("*")):
            os.chown(each, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def as_nobody(step: Callable[..., None], *arguments: object) -> None:
    """Takes the step in a process to which permissions apply, as they do not to the superuser."""
    process = forkserver().Process(target=without_power, args=(step, *arguments))
    process.start()
    process.join()
    assert process.exitcode == 0


def without_power(step: Callable[..., None], *arguments: object) -> None:
    if not os.geteuid():
        os.setuid(NOBODY)
    step(*arguments)


@pytest.mark.parametrize("closed", ["docs", "docs/inner"])
def test_folder_without_permission(place: Path, closed: str) -> None:
    (place / closed).chmod(0)
    as_nobody(refused_sync, place / "home", str(place / closed), "grant read permission")
    (place / closed).chmod(0o755)
    sync(place / "home")
    with kb.open(place / "home") as base:
        assert len(base.log()) == 1
        assert base.status().sources[0].last_error is None


def test_document_without_permission(place: Path) -> None:
    """The unreadable document is named, and its last good version stays."""
    write(place / "docs", {"one.md": "# One\n\nalpha and more"})
    (place / "docs" / "one.md").chmod(0)
    as_nobody(sync, place / "home")
    with kb.open(place / "home") as base:
        assert [(found.uri, found.reason) for found in base.quarantine()] == [("one.md", "unreadable")]
        assert base.document("docs:one.md").text == "# One\n\nalpha"
    (place / "docs" / "one.md").chmod(0o644)
    sync(place / "home")
    with kb.open(place / "home") as base:
        assert list(base.quarantine()) == []
        assert base.document("docs:one.md").text == "# One\n\nalpha and more"


# Models


def test_other_weights_than_the_recorded_ones(tmp_path: Path) -> None:
    model = Path(shutil.copytree(locate("all-MiniLM-L6-v2")[1], tmp_path / "model"))
    write(tmp_path / "docs", {"one.md": "# One\n\nalpha"})
    home = tmp_path / "home"
    assert call("--home", home, "init", "--model", str(model)).code == 0
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    sync(home)
    flip(model / "model.safetensors")
    write(tmp_path / "docs", {"two.md": "# Two\n\nbeta"})
    with unchanged(home):
        for arguments in (("sync", "--json"), ("search", "alpha"), ("search", "alpha", "--mode", "dense", "--json")):
            check(call("--home", home, *arguments), 1, str(model), "not the recorded", "restore")
    assert call("--home", home, "search", "alpha", "--mode", "bm25").code == 0
    flip(model / "model.safetensors")
    sync(home)
    with kb.open(home) as base:
        assert base.status().documents == 2
        assert len(base.search("beta", mode="dense")) == 2


def flip(path: Path) -> None:
    """Changes one bit in the middle; the second time, changes it back."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
