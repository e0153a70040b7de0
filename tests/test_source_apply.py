"""`kb source apply`: a whole list of sources from a file, all of it or nothing, and no secret anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from crash_support import QuickWriter, call, frozen, rows, write

from indexer.creation import create

SECRET = "s3cr3t-that-nobody-may-see"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return create(tmp_path / "home", "hashing:8")[0].path


def apply(home: Path, text: str, *flags: str) -> Any:
    file = home.parent / "sources.yaml"
    file.write_text(text)
    return call("--home", home, "source", "apply", file, *flags)


def applied(home: Path, text: str, *flags: str) -> Any:
    done = apply(home, text, "--json", *flags)
    assert (done.code, done.error) == (0, "")
    return json.loads(done.out)


TWO = """\
sources:
  - name: docs
    kind: folder
    path: docs
    exclude: ["*.log", build/]
    every: 30s
    owner: ada
    delete_guard: 0.2
    fresh_within: 15m
    access: [a, b]
  - name: sent
    kind: push
"""


def test_a_file_is_taken_up_and_again_changes_nothing(home: Path) -> None:
    first = applied(home, TWO)
    assert [one["name"] for one in first["added"]] == ["docs", "sent"]
    kept = rows(home, "SELECT name, every, owner, delete_guard, fresh_within FROM source ORDER BY name")
    assert kept == [("docs", "30s", "ada", 0.2, "15m"), ("sent", None, None, None, None)]
    before = frozen(home)
    again = applied(home, TWO)
    assert (again["added"], again["changed"], again["removed"], again["unchanged"]) == ([], [], [], 2)
    assert frozen(home) == before


def test_relative_paths_start_from_the_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    applied(home, TWO)
    assert json.loads(rows(home, "SELECT options FROM source WHERE name = 'docs'")[0][0])["path"] == str(
        tmp_path / "docs"
    )


def test_a_change_is_shown_by_key_and_what_is_left_out_has_its_default(home: Path) -> None:
    applied(home, TWO)
    changed = TWO.replace("every: 30s", "cron: 0 3 * * *").replace("    owner: ada\n", "").replace("0.2", "30%")
    (found,) = applied(home, changed, "--dry-run")["changed"]
    settings = {one["key"]: (one["before"], one["after"]) for one in found["settings"]}
    assert settings == {
        "every": ("30s", None),
        "cron": (None, "0 3 * * *"),
        "owner": ("ada", None),
        "delete_guard": (0.2, 0.3),
    }
    assert rows(home, "SELECT every FROM source WHERE name = 'docs'") == [("30s",)]
    assert applied(home, changed)["changed"] == [found]
    assert rows(home, "SELECT every, cron, owner FROM source WHERE name = 'docs'") == [(None, "0 3 * * *", None)]


def test_a_dry_run_writes_nothing(home: Path) -> None:
    before = frozen(home)
    shown = apply(home, TWO, "--dry-run")
    assert shown.out.decode().splitlines() == [
        "+ docs  folder",
        "+ sent  push",
        "nothing was written: run it again without --dry-run",
    ]
    assert frozen(home) == before
    assert not (home / "workspace" / "push").exists()


def test_prune_removes_what_is_not_named_and_else_it_stays(home: Path) -> None:
    applied(home, TWO)
    only = TWO[: TWO.index("  - name: sent")]
    found = applied(home, only)
    assert (found["removed"], found["unmentioned"]) == ([], ["sent"])
    assert applied(home, only, "--prune", "--dry-run")["removed"] == ["sent"]
    assert len(rows(home, "SELECT name FROM source")) == 2
    assert applied(home, only, "--prune")["removed"] == ["sent"]
    assert rows(home, "SELECT name FROM source") == [("docs",)]
    assert list((home / "workspace" / "push").iterdir()) == []


def test_what_was_pushed_is_kept(home: Path) -> None:
    applied(home, TWO)
    write(home.parent, {"note.md": "alpha"})
    assert call("--home", home, "push", "sent", home.parent / "note.md", "--uri", "note.md").code == 0
    applied(home, TWO + "    owner: ada\n    fresh_within: 5m\n")
    QuickWriter(home).sync(["sent"])
    assert rows(home, "SELECT uri FROM document WHERE source = 'sent'") == [("note.md",)]


def test_secrets_are_neither_kept_nor_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    text = """\
sources:
  - {name: shop, kind: sql, url: "postgresql://ada:${SHOP_PASSWORD}@127.0.0.1:1/shop", table: item, key: id, text: name}
"""
    for flags in (("--dry-run",), (), ("--json",)):
        done = apply(home, text, *flags)
        assert (done.code, SECRET in done.out.decode() + done.error) == (0, False)
    shown = call("--home", home, "source", "show", "shop", "--json")
    assert "${SHOP_PASSWORD}" in shown.out.decode()
    refused = call("--home", home, "sync", "shop")
    assert refused.code == 6
    status = call("--home", home, "status", "--json")
    for said in (shown, refused, status):
        assert SECRET not in said.out.decode() + said.error
    QuickWriter(home).catalog.close()
    for file in home.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_a_secret_in_clear_is_refused_and_not_repeated(home: Path) -> None:
    refused = apply(
        home,
        f"sources: [{{name: s, kind: sql, url: 'postgresql://a:{SECRET}@h/d', table: t, key: id, text: x}}]",
    )
    assert refused.code == 2
    assert "`url` holds a secret in clear" in refused.error
    assert SECRET not in refused.error


BROKEN = {
    "a tab": ("sources:\n\t- name: a\n", ":2: a tab"),
    "a key twice": ("sources:\n  - name: a\n    kind: push\n    name: b\n", ":4: `name` stands twice"),
    "two of one name": (
        "sources:\n  - {name: a, kind: push}\n  - {name: a, kind: push}\n",
        "there are 2 sources called 'a'",
    ),
    "an unknown kind": ("sources: [{name: a, kind: foldr, path: .}]", "no kind of source is called `foldr`"),
    "a mistyped setting": ("sources: [{name: a, kind: folder, path: ., acces: x}]", "did you mean `access`"),
    "an unknown key": ("sources: [{name: a, kind: folder, path: ., exlude: x}]", "exlude"),
    "no kind": ("sources: [{name: a}]", "source 1 lacks its `kind`"),
    "a bad cron": ("sources: [{name: a, kind: push, cron: 0 3 * *}]", "`cron`"),
    "two schedules": ("sources: [{name: a, kind: push, every: 1m, cron: 0 3 * * *}]", "`every` or by `cron`"),
    "a bad guard": ("sources: [{name: a, kind: push, delete_guard: 3}]", "`delete_guard`"),
    "a bad name": ("sources: [{name: 'a:b', kind: push}]", "'a:b'"),
    "a list": ("- {name: a, kind: push}\n", "one key, `sources`"),
    "nothing": ("", "one key, `sources`"),
    "another key": ("sources: []\nsource: []\n", "one key, `sources`"),
    "no list of keys": ("sources: [a]", "source 1"),
    "no YAML": ("sources: [", ":1"),
    "an object": ("sources: !!python/object/apply:os.getcwd []", "python/object"),
    "a spool": ("sources: [{name: a, kind: push, spool: 0123456789abcdef0123456789abcdef}]", "`spool`"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_changes_nothing(home: Path, broken: str) -> None:
    text, names = BROKEN[broken]
    applied(home, "sources: [{name: kept, kind: push}]")
    before = frozen(home)
    refused = apply(home, text, "--prune")
    assert refused.code == 2
    assert refused.error.count("\n") == 1
    assert names in refused.error
    assert frozen(home) == before


def test_a_source_keeps_its_kind(home: Path) -> None:
    applied(home, "sources: [{name: a, kind: push}]")
    refused = apply(home, "sources: [{name: b, kind: push}, {name: a, kind: folder, path: docs}]")
    assert refused.code == 2
    assert "'a' is of kind push, the file says folder" in refused.error
    assert rows(home, "SELECT name FROM source") == [("a",)]


def test_a_file_that_cannot_be_read(home: Path) -> None:
    refused = call("--home", home, "source", "apply", home / "none.yaml")
    assert (refused.code, refused.error.count("\n")) == (2, 1)
    (home.parent / "bytes.yaml").write_bytes(b"sources: \xff\xfe")
    refused = call("--home", home, "source", "apply", home.parent / "bytes.yaml")
    assert (refused.code, refused.error.count("\n")) == (2, 1)
