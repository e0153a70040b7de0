"""What the writing commands do to a home, and what they say of it."""

import json
from pathlib import Path

import pytest
from cli_shapes import REPORT, SOURCE, check_shape
from cli_support import reply, said
from crash_support import call, frozen, sync, write

from indexer.creation import create


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    write(tmp_path / "docs", {"one.md": "# One\n\nalpha", "bad.pdf": b"%PDF-1.4 broken", "junk.bin": bytes(range(256))})
    return create(tmp_path / "home", "hashing:32")[0].path


def test_init(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = reply(home, "init", "--model", "hashing:8")
    assert made == {"home": str(home), "model": "hashing:8", "created": True}
    assert reply(home, "init") == {**made, "created": False}
    assert "already there" in said(home, "init", "--model", "hashing:8")
    changed = call("--home", home, "init", "--model", "hashing:9")
    assert changed.code == 2
    assert "hashing:8" in changed.error
    assert reply(home, "log") == []
    assert "nothing is published" in said(home, "log")
    assert call("--home", home, "search", "alpha").code == 3
    assert reply(home, "status")["head"] == 0
    assert call("--home", home, "sync").code == 2


def test_sources_are_added_changed_and_removed(fresh: Path) -> None:
    folder = fresh.parent / "docs"
    added = reply(fresh, "source", "add", "docs", "folder", f"path={folder}", "--every", "10m", "--owner", "ada")
    check_shape(added, SOURCE)
    assert added == reply(fresh, "source", "show", "docs")
    assert (added["every"], added["owner"], added["options"]) == ("10m", "ada", {"path": str(folder)})
    changed = reply(fresh, "source", "set", "docs", "exclude=*.pdf", "--cron", "0 3 * * *")
    assert changed["options"] == {"path": str(folder), "exclude": ["*.pdf"]}
    assert changed["owner"] == "ada"
    assert reply(fresh, "source", "check", "docs")["documents"] == 2
    sync(fresh)
    assert reply(fresh, "source", "remove", "docs") == {"removed": "docs", "version": None}
    assert reply(fresh, "source", "list") == []
    assert reply(fresh, "status")["documents"] == 1


def test_a_source_is_removed_with_its_documents(fresh: Path) -> None:
    reply(fresh, "source", "add", "docs", "folder", f"path={fresh.parent / 'docs'}")
    sync(fresh)
    assert reply(fresh, "source", "remove", "docs", "--purge") == {"removed": "docs", "version": 2}
    assert reply(fresh, "status")["documents"] == 0
    assert reply(fresh, "search", "alpha", "--as-of", "1")["hits"]
    assert reply(fresh, "verify")["findings"] == []


def test_plan_then_sync(fresh: Path) -> None:
    """The plan writes nothing, and the sync does as planned; what is quarantined makes it partial."""
    reply(fresh, "source", "add", "docs", "folder", f"path={fresh.parent / 'docs'}")
    before = frozen(fresh)
    (plan,) = reply(fresh, "plan")
    assert frozen(fresh) == before
    assert (plan["snapshots"], plan["added"], plan["embed"], plan["reuse"], plan["quarantine"]) == (1, 1, 1, 0, 1)
    assert (plan["tokens"] > 0, plan["seconds"], plan["refusal"]) == (True, None, None)
    synced = call("--home", fresh, "sync", "--json", "--message", "begin")
    assert (synced.code, synced.error) == (6, "")
    report = json.loads(synced.out)
    check_shape(report, REPORT)
    (snapshot,) = report["snapshots"]
    assert snapshot == reply(fresh, "log")[0]
    assert (snapshot["message"], snapshot["documents"]["added"], snapshot["chunks"]["embedded"]) == ("begin", 1, 1)
    assert [(document["uri"], document["reason"]) for document in report["quarantined"]] == [("bad.pdf", "corrupt")]
    assert report["skipped"] == {"binary": 1}
    assert reply(fresh, "plan")[0]["snapshots"] == 0
    again = call("--home", fresh, "sync")
    # What was written within two seconds is read again, and what is quarantined then is told again.
    assert (again.code in (0, 6), again.out.decode().splitlines()[0]) == (True, "nothing changed")
    assert reply(fresh, "quarantine", "retry") == {"retried": 1}
    assert call("--home", fresh, "sync").code == 6


def test_a_setting_may_be_given_like_a_key(fresh: Path) -> None:
    added = reply(fresh, "source", "add", "more", "folder", "path=.", "every=7m", "owner=me", "keep_original=true")
    assert (added["every"], added["owner"], added["keep_original"]) == ("7m", "me", True)
    shown = said(fresh, "source", "show", "more")
    assert "keep_original true" in shown
    assert call("--home", fresh, "source", "add", "bad", "folder", "path=.", "every=abc").code == 2
