"""The registry: kinds by their names, options that are refused with what was meant."""

import subprocess
import sys
from pathlib import Path

import pytest

from connectors import registry
from connectors.folder import FolderConnector
from connectors.git import GitConnector
from connectors.protocol import Closeable, Historical
from kb.errors import ConfigError

BASE = Path("/srv/base")

THIRD_PARTY = """
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar
from connectors import options
from connectors.protocol import Listing


@dataclass(frozen=True)
class Options:
    feed: Annotated[Path, options.path]


class Feed:
    options_type: ClassVar[type] = Options

    def __init__(self, options, *, workspace, max_bytes):
        self.feed = options.feed
"""

CALL = """
from pathlib import Path
from connectors import registry
connector = registry.build("feed", {"feed": "x"}, workspace=Path("/w"), base=Path("/b"))
print(connector.feed, *registry.kinds())
"""


def normalise(kind: str, **options: object) -> dict[str, object]:
    return registry.normalise(kind, options, base=BASE)


def test_the_kinds_there_are() -> None:
    assert list(registry.kinds()) == ["folder", "git", "loader", "push", "s3", "sql", "web"]


@pytest.mark.parametrize(
    ("kind", "options", "made"), [("folder", {"path": "x"}, FolderConnector), ("git", {"url": "x"}, GitConnector)]
)
def test_building_touches_no_source(kind: str, options: dict[str, object], made: type, tmp_path: Path) -> None:
    assert isinstance(registry.build(kind, options, workspace=tmp_path / "w", base=tmp_path), made)
    assert list(tmp_path.iterdir()) == []


def test_only_git_has_a_past_and_something_to_close(tmp_path: Path) -> None:
    folder = registry.build("folder", {"path": "x"}, workspace=tmp_path, base=tmp_path)
    git = registry.build("git", {"url": "x", "history": "all"}, workspace=tmp_path, base=tmp_path)
    assert not isinstance(folder, Historical | Closeable)
    assert isinstance(git, Historical)
    assert git.keeps_history
    assert isinstance(git, Closeable)


def test_a_kind_of_a_third_party_is_found_by_its_entry_point(tmp_path: Path) -> None:
    metadata = tmp_path / "feeds-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: feeds\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[kb.connectors]\nfeed = feeds:Feed\nlost = nowhere:Gone\n")
    (tmp_path / "feeds.py").write_text(THIRD_PARTY)
    run = subprocess.run(
        (sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}){CALL}"),
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.split() == ["/b/x", "feed", "folder", "git", "loader", "lost", "push", "s3", "sql", "web"]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("gti", {}, ["`gti`", "`git`", "folder, git"]),
        ("carrier pigeon", {}, ["`carrier pigeon`", "folder, git"]),
        ("folder", {"path": "x", "inlcude": "*.md"}, ["`inlcude`", "did you mean `include`", "exclude, include, path"]),
        ("folder", {"path": "x", "zzz": "1"}, ["`zzz`", "known keys"]),
        ("folder", {}, ["`path` is missing"]),
        ("folder", {"path": None}, ["`path` is missing"]),
        ("folder", {"path": ""}, ["`path`", "must be a path"]),
        ("folder", {"path": "a\0b"}, ["`path`", "control characters"]),
        ("folder", {"path": "\udcff"}, ["`path`", "UTF-8"]),
        ("folder", {"path": ["a"]}, ["`path`", "must be a path"]),
        ("folder", {"path": "x", "include": "!a"}, ["`include`", "selects nothing"]),
        ("folder", {"path": "x", "exclude": 3}, ["`exclude`", "patterns"]),
        ("git", {"url": "x", "history": "sometimes"}, ["`history`", "`sometimes`", "tip, all or since:REV"]),
        ("git", {"url": "x", "history": "since:"}, ["`history`"]),
        ("git", {"url": "x", "history": "since:--all"}, ["`history`", "`--all`"]),
        ("git", {"url": "x", "ref": "--upload-pack=touch"}, ["`ref`"]),
        ("git", {"url": "x", "ref": "a..b"}, ["`ref`"]),
        ("git", {"url": "x", "ref": "HEAD:secret"}, ["`ref`"]),
        ("git", {"url": "--upload-pack=touch"}, ["`url`", "`-`"]),
        ("git", {"url": "ext::sh -c touch"}, ["`url`", "remote helper"]),
        ("git", {"url": "ftp://example.org/x"}, ["`url`", "https"]),
        ("git", {"url": "https://me:s3cret@example.org/\nx"}, ["`url`", "control characters"]),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_meant(kind: str, options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        normalise(kind, **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_options_are_stored_in_one_form() -> None:
    assert normalise("folder", path="docs", include="*.md, /a/", exclude="") == {
        "path": "/srv/base/docs",
        "include": ["*.md", "/a/"],
    }
    assert normalise("folder", path="../x/./y/") == {"path": "/srv/x/y"}
    assert normalise("git", url="r.bundle", history="tip", ref=None) == {"url": "/srv/base/r.bundle"}
    assert normalise("git", url="r", history="since:v1~2", ref="main") == {
        "url": "/srv/base/r",
        "ref": "main",
        "history": "since:v1~2",
    }


@pytest.mark.parametrize(
    "url", ["https://example.org/a.git", "ssh://git@example.org/a", "git@example.org:a/b.git", "file:///srv/a"]
)
def test_a_url_stays_as_it_is(url: str) -> None:
    assert normalise("git", url=url) == {"url": url}


def test_a_path_with_a_colon_is_a_path_when_it_looks_like_one() -> None:
    assert normalise("git", url="./a:b") == {"url": "/srv/base/a:b"}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("folder", {"path": "~/x", "include": ["a,b"], "exclude": "c"}),
        ("git", {"url": "x", "ref": "v1", "include": "*.md", "history": "all"}),
    ],
)
def test_normalising_twice_is_normalising_once(kind: str, options: dict[str, object]) -> None:
    once = normalise(kind, **options)
    assert registry.normalise(kind, once, base=Path("/elsewhere")) == once
