"""After a retention: which versions answer, how the others refuse, and what is told across the gap."""

from pathlib import Path

import pytest
from cli_shapes import SHOWN, check_shape
from cli_support import reply, said
from crash_support import call, git
from retain_support import GONE, KEPT, told

import kb


@pytest.fixture
def home(whole_copy: Path) -> Path:
    return whole_copy


def test_what_is_kept_answers_the_same(whole: Path, thinned: Path) -> None:
    with kb.open(whole) as before, kb.open(thinned) as after:
        for version in KEPT:
            assert told(after, version) == told(before, version)
            assert after.show(version).snapshot == before.show(version).snapshot
            assert after.verify(version).findings == ()
        pairs = [(old, new) for old in KEPT for new in KEPT]
        for old, new in pairs:
            assert after.diff(old, new, text=True) == before.diff(old, new, text=True)
            assert after.diff(old, new, level="chunks") == before.diff(old, new, level="chunks")
            queries = {"level": "results", "queries": ["alpha", "day"]}
            assert after.diff(old, new, **queries) == before.diff(old, new, **queries)  # type: ignore[arg-type]
        assert [snapshot for snapshot in before.log() if snapshot.version in KEPT] == after.log()
        assert after.tags() == before.tags()


COMMANDS = ("search alpha --as-of", "cat docs:one.md --as-of", "show", "diff head", "tag new", "verify")


@pytest.mark.parametrize("version", GONE)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_expired_is_refused(thinned: Path, command: str, version: int) -> None:
    nearest = {1: 3, 2: 3, 4: 3, 5: 3, 6: 7}[version]
    refused = call("--home", thinned, *command.split(), str(version), "--json")
    assert (refused.code, refused.out) == (4, b"")
    assert refused.error == f"kb: version {version} has expired; the oldest kept is 3, the nearest is {nearest}\n"


def test_every_way_to_name_it_is_refused(home: Path) -> None:
    """A tag that the policy passed over stays, and tells that its version has expired."""
    with kb.open(home) as base:
        base.tag("passed-over", 4)
        published = {snapshot.version: snapshot.committed_at.isoformat() for snapshot in base.log()}
    first, second, _ = git(home.parent / "code", "rev-list", "--reverse", "HEAD").split()
    reply(home, "retain", "--keep-last", "2")
    names = {
        "passed-over": 4,
        f"code@{first[:8]}": 5,
        f"code@{second}": 6,
        "code@2024-01-03": 5,
        "head~2": 6,
        published[2]: 2,
    }
    for name, version in names.items():
        refused = call("--home", home, "show", name)
        assert (refused.code, refused.out) == (4, b"")
        nearest = f"version {version} ({name}) has expired; the oldest kept is 7, the nearest is 7"
        assert refused.error == f"kb: {nearest}\n"
    assert reply(home, "tag", "--list") == {"audit": 3, "passed-over": 4}
    assert reply(home, "show", "head~1")["snapshot"]["version"] == 7
    assert reply(home, "show", "code@2024-01-08")["snapshot"]["version"] == 7


def test_log_and_history_leave_out_what_expired(thinned: Path) -> None:
    assert [snapshot["version"] for snapshot in reply(thinned, "log")] == [8, 7, 3]
    assert [snapshot["version"] for snapshot in reply(thinned, "log", "--source", "code")] == [7]
    lives = [(version["since"], version["until"]) for version in reply(thinned, "history", "docs:one.md")]
    assert lives == [(3, 4), (4, 8), (8, 2**31 - 1)]
    assert call("--home", thinned, "history", "docs:brief.md").code == 3


def test_show_tells_what_changed_since_the_nearest_kept(thinned: Path) -> None:
    for version, before in ((8, 7), (7, 3), (3, None)):
        shown = reply(thinned, "show", str(version))
        check_shape(shown, SHOWN)
        assert shown["compared_with"] == before
    changed = {(change["uri"], change["change"]) for change in reply(thinned, "show", "7")["documents"]}
    assert changed == {("one.md", "changed"), ("three.md", "added")}
    assert "since version 3, the nearest kept before it" in said(thinned, "show", "7")
    assert reply(thinned, "show", "3")["documents"] == []
    assert "not known any more" in said(thinned, "show", "3")
    assert "since version" not in said(thinned, "show", "8")
