"""Whatever is altered behind the program's back is found and named, and a true history is clean."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lancedb
import pytest
from crash_support import QuickWriter, call, commit, sync, write
from tampering import change_catalog

import kb
from indexer.creation import create
from kb.answers import Finding


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five versions of a folder and a repository: documents added, changed, removed, brought back."""
    path = tmp_path_factory.mktemp("history")
    docs = path / "docs"
    home = create(path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    write(docs, {f"{name}.md": f"# {name}\n\nalpha {name} beta\n\n## more\n\ngamma delta" for name in ("a", "b", "c")})
    writer.add_source("docs", "folder", {"path": str(docs)})
    sync(home)
    write(docs, {"a.md": "# a\n\nalpha and another thing"})
    (docs / "b.md").unlink()
    sync(home)
    write(docs, {"b.md": "# b\n\nalpha b beta\n\n## more\n\ngamma delta", "empty.md": ""})
    sync(home)
    commit(path / "repository", {"code.py": "def alpha():\n    return 1\n"}, day=1)
    commit(path / "repository", {"code.py": "def alpha():\n    return 2\n"}, day=2)
    writer.add_source("code", "git", {"url": str(path / "repository"), "history": "all"})
    sync(home)
    return home


@pytest.fixture
def home(history: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(history, tmp_path / "home"))


def test_a_true_history_is_clean(history: Path) -> None:
    with kb.open(history) as base:
        for version in range(1, 6):
            assert base.verify(version).findings == ()
        found = base.verify()
        assert (found.version, found.snapshots, found.documents) == (5, 5, 7)
        assert found.chunks > found.documents
    called = call("--home", history, "verify", "--json")
    assert called.code == 0
    assert json.loads(called.out)["findings"] == []


def test_compaction_and_new_indexes_are_clean(home: Path) -> None:
    with kb.open(home) as base:
        for name in tables(home):
            lancedb.connect(str(home / "store")).open_table(name).optimize()
        assert base.verify().findings == ()


# Tampering, by what lies under the program


def tables(home: Path) -> list[str]:
    return list(lancedb.connect(str(home / "store")).list_tables().tables)


def chunk_table(home: Path) -> Any:
    (name,) = (name for name in tables(home) if name.startswith("chunks_"))
    return lancedb.connect(str(home / "store")).open_table(name)


def change_rows(where: str, **values: Any) -> Callable[[Path], None]:
    return lambda home: chunk_table(home).update(where=where, values=values) and None


def change_texts(**values: Any) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        table = lancedb.connect(str(home / "store")).open_table("texts")
        assert table.update(where="text LIKE '%another thing%'", values=values).rows_updated == 1

    return change


def turn_vector(home: Path) -> None:
    table = chunk_table(home)
    row = table.search().where(A_ROW).limit(1).to_list()[0]
    table.update(where=A_ROW, values={"vector": [*row["vector"][1:], row["vector"][0]]})


def repeat_row(home: Path) -> None:
    table = chunk_table(home)
    table.add(table.search().where(A_ROW).limit(1).to_arrow().select(table.schema.names))


def drop_table(home: Path) -> None:
    (name,) = (name for name in tables(home) if name.startswith("chunks_"))
    lancedb.connect(str(home / "store")).drop_table(name)


A_ROW = "uri = 'a.md' AND since = 2"
ENDED = "uri = 'a.md' AND until = 2"

TAMPERED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a row's text": (change_rows(A_ROW, text="other words"), "changed text", "docs:a.md"),
    "a row's tokens": (change_rows(A_ROW, tokens="other words"), "changed tokens", "docs:a.md"),
    "a row's source": (change_rows(A_ROW, source="elsewhere"), "changed rows", "version 2"),
    "a row's uri": (change_rows(A_ROW, uri="z.md"), "changed rows", "version 2"),
    "a row's facets": (change_rows(A_ROW, facets=["media_type=text/x"]), "changed rows", "version 2"),
    "a row's lost facets": (change_rows(A_ROW, facets=["media_type=text/markdown"]), "missing row", "docs:a.md"),
    "a row's document": (change_rows(A_ROW, document_id="0" * 32), "strange row", "document 000"),
    "a vector": (turn_vector, "changed rows", "version 2"),
    "a missing row": (lambda home: chunk_table(home).delete(A_ROW) and None, "missing row", "docs:a.md"),
    "a missing ended row": (lambda home: chunk_table(home).delete(ENDED) and None, "missing row", "docs:a.md"),
    "a repeated row": (repeat_row, "changed rows", "version 2"),
    "a missing table": (drop_table, "missing rows", "space"),
    "a later birth": (change_rows(A_ROW, since=3), "missing row", "docs:a.md"),
    "an earlier birth": (change_rows(A_ROW, since=1), "strange row", "docs:a.md"),
    "an early death": (change_rows(A_ROW, until=4), "missing row", "docs:a.md"),
    "a later death": (change_rows(ENDED, until=4), "strange row", "docs:a.md"),
    "no death": (change_rows(ENDED, until=2**31 - 1), "strange row", "docs:a.md"),
    "a text": (change_texts(text="# a\n\nother words"), "changed text", "docs:a.md"),
    "a missing text": (
        lambda home: lancedb.connect(str(home / "store")).open_table("texts").delete("text LIKE '%another%'") and None,
        "missing text",
        "docs:a.md",
    ),
    "a snapshot's message": (
        change_catalog("UPDATE snapshot SET message = 'never said' WHERE version = 2"),
        "edited snapshot",
        "version 2",
    ),
    "a snapshot's time": (
        change_catalog("UPDATE snapshot SET committed_at = '2001-01-01T00:00:00.000000Z' WHERE version = 1"),
        "edited snapshot",
        "version 1",
    ),
    "a snapshot's count": (
        change_catalog("UPDATE snapshot SET chunks_total = chunks_total + 1 WHERE version = 3"),
        "edited snapshot",
        "version 3",
    ),
    "a snapshot's revision": (
        change_catalog("UPDATE snapshot SET source_revision = 'f00d' WHERE version = 4"),
        "edited snapshot",
        "version 4",
    ),
    "a snapshot's digest": (
        change_catalog(f"UPDATE snapshot SET digest = '{'0' * 64}' WHERE version = 5"),
        "edited snapshot",
        "version 5",
    ),
    "a snapshot's tokens": (
        change_catalog("UPDATE snapshot SET tokens_total = tokens_total + 1 WHERE version = 3"),
        "changed statistics",
        "version 3",
    ),
    "a missing snapshot": (change_catalog("DELETE FROM snapshot WHERE version = 2"), "missing snapshot", "version 2"),
    "the first snapshot missing": (
        change_catalog("DELETE FROM snapshot WHERE version = 1"),
        "missing snapshot",
        "version 1",
    ),
    "a document's title": (
        change_catalog("UPDATE document SET title = 'Other' WHERE uri = 'a.md' AND since = 2"),
        "changed documents",
        "version 2",
    ),
    "a document's bytes": (
        change_catalog(f"UPDATE document SET content_sha256 = '{'0' * 64}' WHERE uri = 'c.md'"),
        "changed documents",
        "version 1",
    ),
    "a document's time": (
        change_catalog("UPDATE document SET modified_at = '2001-01-01T00:00:00.000000Z' WHERE uri = 'c.md'"),
        "changed documents",
        "version 1",
    ),
    "a document's revision": (
        change_catalog("UPDATE document SET source_revision = 'f00d' WHERE uri = 'code.py' AND since = 4"),
        "changed documents",
        "version 4",
    ),
    "a document's life": (
        change_catalog("UPDATE document SET until = 4 WHERE uri = 'a.md' AND since = 2"),
        "changed documents",
        "version 4",
    ),
    "a missing document": (change_catalog("DELETE FROM document WHERE uri = 'c.md'"), "changed documents", "version 1"),
    "a document's text": (
        change_catalog(f"UPDATE document SET text_sha256 = '{'0' * 64}' WHERE uri = 'c.md'"),
        "changed documents",
        "version 1",
    ),
    "a term's statistics": (
        change_catalog("UPDATE recent_term SET delta = delta + 1 WHERE term = 'alpha' AND version = 2"),
        "changed statistics",
        "version 2",
    ),
    "a missing term": (change_catalog("DELETE FROM recent_term WHERE version = 4"), "changed statistics", "version 4"),
    "a pipeline's parts": (
        change_catalog("UPDATE pipeline SET parts = replace(parts, 'hashing:32', 'hashing:99')"),
        "changed pipeline",
        "pipeline",
    ),
    "a missing pipeline": (change_catalog("DELETE FROM pipeline"), "missing pipeline", "pipeline"),
}


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found(home: Path, tampered: tuple[Callable[[Path], None], str, str]) -> None:
    tamper, what, subject = tampered
    tamper(home)
    with kb.open(home) as base:
        findings = base.verify().findings
    assert any(names(finding, what, subject) for finding in findings), findings
    called = call("--home", home, "verify")
    assert called.code == 1
    assert f"{len(findings)} finding" in called.out.decode()


def names(finding: Finding, what: str, subject: str) -> bool:
    return finding.what == what and subject in finding.subject


def test_an_edited_snapshot_is_found_from_every_later_version(home: Path) -> None:
    change_catalog("UPDATE snapshot SET message = 'never said' WHERE version = 3")(home)
    assert [call("--home", home, "verify", str(version)).code for version in range(1, 6)] == [0, 0, 1, 1, 1]


# The sources


@pytest.fixture
def sourced(tmp_path: Path) -> Path:
    write(tmp_path / "docs", {"a.md": "# a\n\nalpha", "b.md": "# b\n\nbeta", "c.md": "# c\n\ngamma"})
    commit(tmp_path / "repository", {"one.md": "# One\n\nalpha"}, day=1)
    home = create(tmp_path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    writer.add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    writer.add_source("code", "git", {"url": str(tmp_path / "repository")})
    sync(home)
    return home


def test_the_sources_agree(sourced: Path) -> None:
    called = call("--home", sourced, "verify", "--sources", "--json")
    assert called.code == 0
    assert json.loads(called.out)["sources"] == 4


def test_a_source_that_differs_is_found(sourced: Path) -> None:
    write(sourced.parent / "docs", {"a.md": "# a\n\nother"})
    (sourced.parent / "docs" / "b.md").unlink()
    with kb.open(sourced) as base:
        found = {(finding.subject, finding.what) for finding in base.verify(sources=True).findings}
    assert found == {("docs:a.md", "differs from source"), ("docs:b.md", "gone from source")}
    assert call("--home", sourced, "verify", "--sources").code == 1
    assert call("--home", sourced, "verify").code == 0


def test_git_is_compared_at_the_revision_that_was_indexed(sourced: Path) -> None:
    commit(sourced.parent / "repository", {"one.md": "# One\n\nother"}, day=2)
    assert call("--home", sourced, "verify", "--sources").code == 0


def test_a_source_that_is_gone_is_found(sourced: Path) -> None:
    shutil.rmtree(sourced.parent / "docs")
    called = call("--home", sourced, "verify", "--sources", "--json")
    assert called.code == 1
    findings = json.loads(called.out)["findings"]
    assert {finding["subject"].partition(":")[0] for finding in findings} == {"docs"}


def test_a_removed_source_is_told(sourced: Path) -> None:
    """Its documents stay as they were published, and cannot be compared."""
    QuickWriter(sourced).remove_source("docs")
    called = call("--home", sourced, "verify", "--sources", "--json")
    assert called.code == 1
    assert {finding["subject"].partition(":")[0] for finding in json.loads(called.out)["findings"]} == {"docs"}
