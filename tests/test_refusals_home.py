"""A home that is absent, taken or damaged is refused in one line that names the file and the remedy."""

from pathlib import Path

import pytest
from crash_support import call, command, write
from refusals_support import Words, check, three_documents


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return three_documents(tmp_path)


def test_no_knowledge_base(tmp_path: Path) -> None:
    check(command("log", cwd=tmp_path), 3, str(tmp_path), "kb init", "--home")
    check(command("log", "--json", home=tmp_path / "none"), 3, "none", "init")
    check(call("--home", tmp_path / "none", "sync"), 3, "none")
    assert list(tmp_path.iterdir()) == []


def test_init_where_other_files_are(tmp_path: Path) -> None:
    write(tmp_path, {"mine.txt": "mine"})
    check(call("--home", tmp_path, "init", "--model", "hashing:8"), 2, "mine.txt", "--home")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("delete_gard = 0.9", ("config.toml", "`delete_gard`", "did you mean `delete_guard`")),
        ("workers = 'two'", ("config.toml", "`workers`", "must be a whole number")),
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
