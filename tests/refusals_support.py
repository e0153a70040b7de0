"""What the tests of refusals share: small homes, and proof that a refusal is one line and changes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crash_support import Called, QuickWriter, call, frozen, sync, write

import kb
from indexer.creation import create

Words = tuple[str, ...]


def folder_home(path: Path, documents: Mapping[str, str]) -> Path:
    """A home in which the documents of one folder, `docs`, are published."""
    write(path / "docs", documents)
    home = create(path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(path / "docs")})
    sync(home)
    return home


def three_documents(path: Path) -> Path:
    return folder_home(path, {f"{name}.md": f"# {name}\n\nalpha {name}" for name in ("one", "two", "three")})


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
    assert called.error.startswith("kb: "), called
    assert called.error.count("\n") == 1, called
    assert called.error.endswith("\n"), called
    assert len(called.error) < 500, called
    for word in words:
        assert word in called.error, called


def refused_sync(home: Path, *words: str) -> None:
    """A sync whose only source is refused: done in part, told in one line, nothing changed."""
    with unchanged(home):
        called = call("--home", home, "sync")
        check(called, 6, "docs" if not words else words[0], *words)
        assert call("--home", home, "sync", "--json").code == 6
    assert "failing" in call("--home", home, "status").out.decode()
