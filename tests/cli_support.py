"""What the tests of the `kb` command share: a home with two sources, and a command's words or JSON."""

import json
from pathlib import Path
from typing import Any

from crash_support import QuickWriter, call, commit, sync, write

import kb
from indexer.creation import create


def two_sources(path: Path) -> Path:
    """A home that holds two versions of a folder, two of a repository, one document in quarantine."""
    home = create(path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    text = "# Refunds\n\n## Period\n\nCustomers may return goods within 30 days.\n"
    write(path / "docs", {"refunds.md": text, "other.md": "# Other\n\nalpha beta", "broken.pdf": b"%PDF-1.4 broken"})
    writer.add_source("docs", "folder", {"path": str(path / "docs")}, owner="ada")
    sync(home)
    write(path / "docs", {"refunds.md": text.replace("30", "60")})
    writer.sync(message="longer")
    commit(path / "code", {"a.py": "def alpha():\n    return 1\n"}, day=1)
    commit(path / "code", {"b.md": "# B\n\nbeta\n"}, day=2)
    writer.add_source("code", "git", {"url": str(path / "code"), "history": "all"})
    sync(home)
    with kb.open(home) as base:
        base.tag("first", 1)
    return home


def reply(home: Path, *arguments: str) -> Any:
    """What a command prints with `--json`: one document, and nothing on stderr."""
    called = call("--home", home, *arguments, "--json")
    assert (called.code, called.error) == (0, ""), called
    return json.loads(called.out)


def said(home: Path, *arguments: str) -> str:
    """What a command prints for people."""
    called = call("--home", home, *arguments)
    assert (called.code, called.error) == (0, ""), called
    return called.out.decode()
