"""Access lists: today's rules every version, reaches rows without reading or embedding, and survives any stop."""

import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from access_support import TEXT, clean, seen
from crash_support import QuickWriter, call, commit, sync, write
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from workbench import Workbench, fill

import kb
from indexer.creation import create
from indexer.progress import Event
from indexer.sync import Synced
from kb.catalog import sources
from kb.errors import ConfigError


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Workbench(tmp_path, DIMENSIONS)
    made.add_unregistered("shelf")
    yield made
    made.close()


def test_a_list_is_shared_with_or_it_hides(bench: Workbench) -> None:
    lists = {"all.md": None, "none.md": (), "staff.md": ("staff",), "legal.md": ("legal",), "blank.md": ("", " ")}
    bench.sync_with("shelf", Shelf({uri: Paper(f"{TEXT} {uri}", access=access) for uri, access in lists.items()}))
    assert seen(bench) == {
        "owner": sorted(lists),
        "nobody": ["all.md"],
        "staff": ["all.md", "staff.md"],
        "both": ["all.md", "legal.md", "staff.md"],
    }
    assert clean(bench) == ()


def test_a_change_rules_all_versions_and_makes_none(bench: Workbench) -> None:
    old, new = Paper(TEXT), Paper(TEXT.replace("thirty", "sixty"))
    bench.sync_with("shelf", Shelf({"a.md": old, "b.md": Paper(f"{TEXT} b")}))
    bench.sync_with("shelf", Shelf({"a.md": new, "b.md": Paper(f"{TEXT} b")}))
    tightened = {"a.md": replace(new, access=("staff",)), "b.md": Paper(f"{TEXT} b")}
    reached: list[Synced] = []
    assert bench.embedded_by(lambda: reached.append(bench.sync_with("shelf", Shelf(tightened)))) == []
    assert (reached[0].published, reached[0].permitted) == ([], 1)
    for version in (1, 2):
        assert seen(bench, version)["nobody"] == ["b.md"]
        assert seen(bench, version)["staff"] == ["a.md", "b.md"]
    loosened = {"a.md": new, "b.md": Paper(f"{TEXT} b", access=())}
    assert bench.sync_with("shelf", Shelf(loosened)).permitted == 2
    assert [seen(bench, version)["both"] for version in (1, 2)] == [["a.md"], ["a.md"]]
    assert bench.sync_with("shelf", Shelf(loosened)).permitted == 0
    with kb.open(bench.home.path) as base:
        assert len(base.log()) == 2
    assert clean(bench) == ()


def test_rows_that_are_born_later_have_the_list(bench: Workbench) -> None:
    """By an edit, by changed metadata, by a return, by a move to another space."""
    paper = Paper(TEXT, access=("staff",))
    bench.sync_with("shelf", Shelf({"a.md": paper}))
    edited = replace(paper, text=f"{TEXT}\n\n## More\n\nCustomers, too.", metadata={"lang": "en"})
    for papers in ({"a.md": edited}, {}, {"a.md": paper}):
        bench.sync_with("shelf", Shelf(papers))
    bench.change_model(24)
    bench.sync_with("shelf", Shelf({"a.md": paper}))
    for version in (1, 2, 4, 5):
        assert (seen(bench, version)["nobody"], seen(bench, version)["staff"]) == ([], ["a.md"])
    bench.sync_with("shelf", Shelf({"a.md": replace(paper, access=("x",))}))
    assert [seen(bench, version)["staff"] for version in (1, 2, 4, 5)] == [[]] * 4, "in both spaces"
    assert clean(bench) == ()


def test_of_what_comes_back_or_cannot_be_taken_in_the_list_holds_too(bench: Workbench) -> None:
    bench.sync_with("shelf", Shelf({"a.md": Paper(TEXT), "b.md": Paper(f"{TEXT} b")}))
    bench.sync_with("shelf", Shelf({"b.md": Paper(f"{TEXT} b")}))
    bench.sync_with("shelf", Shelf({"a.md": Paper(TEXT, access=("staff",)), "b.md": Paper("\0\1\2\3", access=())}))
    with kb.open(bench.home.path) as base:
        assert [confined.uri for confined in base.quarantine()] == ["b.md"]
    assert [seen(bench, version)["nobody"] for version in (1, 2, 3)] == [[], [], []]
    assert seen(bench, 1)["staff"] == ["a.md"]
    assert seen(bench, "head")["owner"] == ["a.md", "b.md"]


# The setting of a source


def set_access(bench: Workbench, name: str, access: str) -> None:
    bench.writer.change_source(name, {"access": access})


def test_a_source_s_setting_reaches_its_documents_unread(bench: Workbench) -> None:
    folder = bench.add_folder("docs")
    fill(folder, {"a.md": TEXT, "b.md": f"{TEXT} b"})
    bench.sync("docs")
    (folder / "b.md").unlink()
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    bench.sync("docs")
    set_access(bench, "docs", "staff, legal")
    events: list[Event] = []
    assert bench.embedded_by(lambda: bench.sync("docs", observe=events.append)) == []
    # What is fresh a folder reads again, whatever its access.
    assert {event.step for event in events} - {"fetch"} == {"wake", "permit", "poll", "publish"}
    assert (seen(bench, 1)["nobody"], seen(bench, 1)["staff"]) == ([], ["a.md", "b.md"]), (
        "of documents that are gone, too"
    )
    fill(folder, {"c.md": f"{TEXT} c"})
    bench.sync("docs")
    assert seen(bench) == {"owner": ["a.md", "c.md"], "nobody": [], "staff": ["a.md", "c.md"], "both": ["a.md", "c.md"]}
    set_access(bench, "docs", "")
    assert [synced.permitted for synced in bench.sync("docs")] == [3], "of older versions, too"
    assert seen(bench, 1)["nobody"] == ["a.md", "b.md"]
    assert clean(bench) == ()


def test_what_a_source_says_of_a_document_goes_before_its_setting(bench: Workbench) -> None:
    papers = {"own.md": Paper(TEXT, access=("staff",)), "plain.md": Paper(f"{TEXT} b")}
    bench.sync_with("shelf", Shelf(papers))
    with bench.writer.catalog.writing() as connection:
        sources.change(connection, "shelf", access=["legal"])
    shelf = Shelf(papers)
    assert bench.sync_with("shelf", shelf).permitted == 1
    assert shelf.fetched == []
    assert seen(bench)["staff"] == ["own.md"]
    assert seen(bench)["both"] == ["own.md", "plain.md"]
    assert bench.sync_with("shelf", Shelf({**papers, "own.md": Paper(TEXT)})).permitted == 1
    assert seen(bench)["staff"] == []
    assert bench.sync_with("shelf", Shelf({**papers, "plain.md": Paper(f"{TEXT} b", access=())})).permitted == 2
    assert seen(bench) == {"owner": ["own.md", "plain.md"], "nobody": [], "staff": ["own.md"], "both": ["own.md"]}


def test_by_the_command_line(tmp_path: Path) -> None:
    home = create(tmp_path / "home", "hashing:32")[0].path
    write(tmp_path / "docs", {"a.md": TEXT})
    commit(tmp_path / "code", {"b.md": f"{TEXT} b"}, day=1)
    commit(tmp_path / "code", {"b.md": f"{TEXT} c"}, day=2)

    def kb_(*arguments: str) -> Any:
        called = call("--home", home, *map(str, arguments))
        assert called.code == 0, called
        return called.out.decode()

    def found(*options: str) -> list[str]:
        reply = json.loads(kb_("search", "customers", "--json", *options))
        return sorted(hit["provenance"]["uri"] for hit in reply["hits"])

    kb_("source", "add", "docs", "folder", f"path={tmp_path / 'docs'}", "access=staff,legal")
    kb_("source", "add", "code", "git", f"url={tmp_path / 'code'}", "history=all")
    assert "access        legal,staff" in kb_("source", "show", "docs")
    assert "access        everyone" in kb_("source", "show", "code")
    sync(home)
    assert found() == ["a.md", "b.md"]
    assert found("--group", "other") == ["b.md"]
    assert found("--group", "other", "--group", "legal", "--filter", "media_type=text/*") == ["a.md", "b.md"]
    kb_("source", "set", "code", "access=secret")
    kb_("source", "set", "docs", "access=")
    assert found("--group", "other") == ["b.md"], "the next sync takes it up"
    assert "2 documents may be seen by other groups than before" in kb_("sync")
    assert found("--group", "other") == ["a.md"]
    assert [found("--group", "secret", "--as-of", str(version)) for version in (1, 3)] == [["b.md"], ["a.md", "b.md"]]
    assert "nothing changed" in kb_("sync")
    refused = call("--home", home, "source", "set", "docs", "access=staff,,legal")
    assert (refused.code, refused.error.count("\n")) == (2, 1)
    assert "`access`" in refused.error
    with pytest.raises(ConfigError):
        QuickWriter(home).change_source("docs", {"access": 7})


# Proof


def change_rows(bench: Workbench, access: list[str]) -> None:
    bench.session().store.permit([document_id(bench)], access)


def document_id(bench: Workbench) -> str:
    with kb.open(bench.home.path) as base:
        return base.documents()[0].document_id


@pytest.mark.parametrize(
    "tamper",
    [
        lambda bench: change_rows(bench, [""]),
        lambda bench: change_rows(bench, ["staff", "x"]),
        lambda bench: rows_of_catalog(bench, "UPDATE document_access SET groups = '[\"\"]'"),
        lambda bench: rows_of_catalog(bench, "DELETE FROM document_access"),
    ],
)
def test_rows_that_hold_another_list_are_found(bench: Workbench, tamper: Callable[[Workbench], None]) -> None:
    bench.sync_with("shelf", Shelf({"a.md": Paper(TEXT, access=("staff",))}))
    assert clean(bench) == ()
    tamper(bench)
    assert [(finding.what, finding.subject) for finding in clean(bench)] == [("changed access", "shelf:a.md")]


def rows_of_catalog(bench: Workbench, statement: str) -> None:
    with sqlite3.connect(bench.home.path / "catalog.sqlite") as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()
