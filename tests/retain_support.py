"""What the tests of retention share: a home of eight versions, of which a policy keeps three, and what they answer."""

import shutil
from pathlib import Path
from typing import Any, Final

import lancedb
from crash_support import QuickWriter, call, commit, sync, write

import kb
from indexer.creation import create
from kb.base import KnowledgeBase

KEPT, GONE = (3, 7, 8), (1, 2, 4, 5, 6)
RETAIN = ("retain", "--keep-last", "2", "--keep-tagged")


NAMES: Final = ("one", "two")


def words(version: int) -> str:
    return f"# One\n\nalpha is {version}, once.\n\n## Rest\n\n" + "beta stays for long. " * 30 + f"gamma {version // 4}"


def eight_versions(path: Path) -> Path:
    """Versions 1 to 4 of a folder, 5 to 7 of a repository's three commits, 8 of the folder; version 3 has a tag."""
    home = create(path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    writer.add_source("docs", "folder", {"path": str(path / "docs")})
    for version in range(1, 5):
        write(path / "docs", {"one.md": words(version), "two.md": f"# Two\n\ndelta {version // 3}"})
        if version == 2:
            write(path / "docs", {"brief.md": "# Brief\n\nseen once"})
        elif version == 3:
            (path / "docs" / "brief.md").unlink()
        sync(home)
    for day in (2, 5, 8):
        commit(path / "code", {"three.md": f"# Three\n\nday {day}"}, day=day)
    writer.add_source("code", "git", {"url": str(path / "code"), "history": "all"})
    sync(home)
    write(path / "docs", {"one.md": words(3)})
    sync(home)
    with kb.open(home) as base:
        base.tag("audit", 3)
        base.tag("early", 2)
        base.delete_tag("early")
        assert base.log(1)[0].version == 8
    return home


def thin(home: Path, place: Path) -> Path:
    """A copy with versions 3, 7 and 8 alone."""
    copy = Path(shutil.copytree(home, place))
    assert call("--home", copy, *RETAIN).code == 0
    return copy


def told(base: KnowledgeBase, version: int | str) -> object:
    hits = [base.search(query, as_of=version, k=50, exact=exact).hits for query in ("alpha", "day") for exact in (0, 1)]
    return base.documents(as_of=version), hits, [base.document(f"docs:{name}.md", as_of=version) for name in NAMES]


def opened(home: Path) -> dict[str, Any]:
    store = lancedb.connect(str(home / "store"))
    return {name: store.open_table(name) for name in store.list_tables().tables}
