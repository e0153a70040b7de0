"""Listing a folder: what is in, what is left out, when a stamp may be trusted, and that nothing is ever guessed."""

import itertools
import os
import socket
from pathlib import Path

import pytest

from connectors import patterns
from connectors.folder import FolderConnector, FolderOptions
from connectors.folder.scan import scan
from connectors.patterns import Selection
from connectors.protocol import Entry
from kb.errors import SourceUnavailable

SECOND = 10**9
EVERYTHING = patterns.select((), ())


def connect(path: Path, now_ns: int = 0, **options: tuple[str, ...]) -> FolderConnector:
    return FolderConnector(FolderOptions(path, **options), workspace=path, clock_ns=lambda: now_ns)


def uris(path: Path, **options: tuple[str, ...]) -> list[str]:
    return [entry.uri for entry in connect(path, **options).poll(None).entries]


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def stamp(path: Path, now_ns: int) -> str:
    (entry,) = connect(path, now_ns).poll(None).entries
    return entry.stamp


def test_patterns_select(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "b.txt", "docs/c.md", "docs/draft/d.md", "node_modules/e.md")
    assert uris(tmp_path, include=("*.md",), exclude=("draft/", "node_modules/")) == ["a.md", "docs/c.md"]


def test_what_version_control_keeps_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.md", ".git/config", "sub/.hg/store", "sub/.svn/entries", "module/.git", ".gitignore", "sub/git")
    assert uris(tmp_path) == [".gitignore", "a.md", "sub/git"]


def test_a_knowledge_base_within_is_left_out_and_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.md", ".kb/config.toml", "elsewhere/catalog.sqlite", "elsewhere/store/x", "elsewhere2/b.md")
    listing = connect(tmp_path).poll(None)
    assert [entry.uri for entry in listing.entries] == ["a.md", "elsewhere2/b.md"]
    assert listing.skipped == {"knowledge base": 2}


def test_a_knowledge_base_is_no_source(tmp_path: Path) -> None:
    put(tmp_path, "catalog.sqlite")
    with pytest.raises(SourceUnavailable, match="knowledge base's own home"):
        connect(tmp_path).poll(None)


def test_links_within_are_read_and_others_are_counted(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root, "docs/a.md", ".git/config", ".kb/catalog.sqlite")
    put(tmp_path, "secret.md")
    links = {
        "inside.md": "docs/a.md",
        "outside.md": "../secret.md",
        "absolute.md": str(tmp_path / "secret.md"),
        "dangling.md": "docs/none.md",
        "loop.md": "loop.md",
        "directory": "docs",
        "parent": "..",
        "git.md": ".git/config",
        "catalog.md": ".kb/catalog.sqlite",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    listing = connect(root).poll(None)
    assert [entry.uri for entry in listing.entries] == ["docs/a.md", "inside.md"]
    assert listing.skipped == {"symlink": 8, "knowledge base": 1}


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real", "a.md")
    (tmp_path / "real/b.md").symlink_to("a.md")
    (tmp_path / "root").symlink_to("real")
    assert uris(tmp_path / "root") == ["a.md", "b.md"]


def test_a_link_that_is_pointed_elsewhere_has_another_stamp(tmp_path: Path) -> None:
    put(tmp_path, "a/x.md", "b/x.md")
    (tmp_path / "link.md").symlink_to("a/x.md")
    before = {entry.uri: entry.stamp for entry in connect(tmp_path).poll(None).entries}
    (tmp_path / "link.md").unlink()
    (tmp_path / "link.md").symlink_to("b/x.md")
    after = {entry.uri: entry.stamp for entry in connect(tmp_path).poll(None).entries}
    assert before.pop("link.md") != after.pop("link.md")
    assert before == after


def test_what_is_not_a_file_is_counted_and_never_opened(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket.md"))
        listing = connect(tmp_path, include=("*.md",)).poll(None)
    assert [entry.uri for entry in listing.entries] == ["a.md"]
    assert listing.skipped == {"special file": 2}


def test_an_empty_folder_is_an_empty_source(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert uris(tmp_path) == []


def test_a_stamp_is_trusted_only_when_the_file_has_settled(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    changed = (tmp_path / "a.md").stat().st_ctime_ns
    fresh = stamp(tmp_path, changed + SECOND)
    assert fresh != stamp(tmp_path, changed + SECOND + 1)
    settled = stamp(tmp_path, changed + 3 * SECOND)
    assert fresh != settled
    assert settled == stamp(tmp_path, changed + 100 * SECOND)


def test_a_clock_behind_the_file_system_trusts_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    changed = (tmp_path / "a.md").stat().st_ctime_ns
    assert stamp(tmp_path, changed - 60 * SECOND) != stamp(tmp_path, changed - 50 * SECOND)


def test_an_edit_behind_the_same_modification_time_is_seen(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    file = tmp_path / "a.md"
    os.utime(file, ns=(SECOND, SECOND))
    later = file.stat().st_ctime_ns + 100 * SECOND
    before = stamp(tmp_path, later)
    file.write_text("A.md")
    os.utime(file, ns=(SECOND, SECOND))
    assert stamp(tmp_path, later) != before


def test_a_file_dated_in_the_future_settles_too(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    os.utime(tmp_path / "a.md", ns=(2**62, 2**62))
    changed = (tmp_path / "a.md").stat().st_ctime_ns
    assert stamp(tmp_path, changed + 3 * SECOND) == stamp(tmp_path, changed + 4 * SECOND)


@pytest.mark.parametrize("name", ["none", "a.md", "a.md/below"])
def test_what_is_not_a_folder_is_unavailable(tmp_path: Path, name: str) -> None:
    put(tmp_path, "a.md")
    with pytest.raises(SourceUnavailable, match=f"{tmp_path / name} is not (there|a folder)"):
        connect(tmp_path / name).poll(None)


@pytest.mark.parametrize(("mode", "place"), [(0, ""), (0, "sub"), (0o300, "sub"), (0o400, "sub"), (0o600, "sub/deep")])
def test_a_directory_that_cannot_be_read_is_never_skipped(open_path: Path, unprivileged, mode: int, place: str) -> None:
    root = open_path / "root"
    put(root, "a.md", "sub/b.md", "sub/deep/c.md")
    for directory in (root, root / "sub", root / "sub/deep"):
        directory.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(directory, 65534, 65534)
    assert len(uris(root)) == 3
    (root / place).chmod(mode)
    with unprivileged(), pytest.raises(SourceUnavailable, match="cannot be read: Permission denied; grant") as caught:
        connect(root).poll(None)
    assert str(root / place) in str(caught.value)
    (root / place).chmod(0o755)
    with unprivileged():
        assert len(uris(root)) == 3


def test_an_excluded_directory_need_not_be_readable(open_path: Path, unprivileged) -> None:
    put(open_path, "a.md", "lost+found/b.md")
    (open_path / "lost+found").chmod(0)
    with unprivileged():
        assert uris(open_path, exclude=("lost+found/",)) == ["a.md"]


def test_an_unreadable_file_is_listed(open_path: Path, unprivileged) -> None:
    put(open_path, "a.md", "b.md")
    (open_path / "b.md").chmod(0)
    with unprivileged():
        assert uris(open_path) == ["a.md", "b.md"]


class Meddling:
    """Selects everything; when it is first asked, or each time, something happens to the folder."""

    def __init__(self, act, times: int = 1) -> None:
        self.act = act
        self.left = times

    def selects(self, uri: str) -> bool:
        if self.left:
            self.left -= 1
            self.act()
        return True

    def prunes(self, directory: str) -> bool:
        return EVERYTHING.prunes(directory)


def scanned(root: Path, selection: Meddling | Selection = EVERYTHING) -> tuple[Entry, ...]:
    for directory, _, _ in os.walk(root):
        os.utime(directory, ns=(SECOND, SECOND))
    return scan(root, selection, 0)[0]


def test_a_file_that_moves_during_the_scan_is_not_lost(tmp_path: Path) -> None:
    for before, after in (("a", "z"), ("z", "a")):
        root = tmp_path / before
        put(root, "a/1.md", "m/2.md", "z/3.md", f"{before}/moving.md")
        move = Meddling(lambda root=root, a=before, b=after: (root / a / "moving.md").rename(root / b / "moving.md"))
        assert [entry.uri for entry in scanned(root, move)] == sorted(
            ["a/1.md", "m/2.md", "z/3.md", f"{after}/moving.md"]
        )


def test_a_directory_that_goes_or_comes_during_the_scan(tmp_path: Path) -> None:
    put(tmp_path, "1.md", "sub/2.md", "sub/deep/3.md")
    moved = scanned(tmp_path, Meddling(lambda: (tmp_path / "sub").rename(tmp_path / "other")))
    assert [entry.uri for entry in moved] == ["1.md", "other/2.md", "other/deep/3.md"]


def test_a_root_that_goes_during_the_scan_is_unavailable(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root, "1.md", "sub/2.md")
    with pytest.raises(SourceUnavailable, match="is not there"):
        scanned(root, Meddling(lambda: root.rename(tmp_path / "away")))


def test_a_folder_that_never_rests_is_unavailable(tmp_path: Path) -> None:
    put(tmp_path, "1.md")
    moments = itertools.count(2)
    restless = Meddling(lambda: os.utime(tmp_path, (0, next(moments))), times=-1)
    with pytest.raises(SourceUnavailable, match="keeps changing"):
        scanned(tmp_path, restless)


def test_ten_thousand_files_are_each_looked_at_once(tmp_path: Path) -> None:
    for directory in range(20):
        (tmp_path / str(directory)).mkdir()
        for number in range(500):
            (tmp_path / str(directory) / f"{number}.md").touch()
    asked: list[str] = []
    counting = Meddling(lambda: None)
    counting.selects = lambda uri: asked.append(uri) is None
    assert len(scanned(tmp_path, counting)) == len(asked) == 10_000
