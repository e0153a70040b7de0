"""Documents' own bytes: kept where a source says so, as of any version, and gone with the versions that needed them."""

from pathlib import Path

import pytest
from workbench import Workbench, fill

from kb.base import KnowledgeBase
from kb.errors import NotFound
from kb.retention import Policy


@pytest.fixture
def bench(tmp_path: Path):
    made = Workbench(tmp_path, 16)
    yield made
    made.close()


def keeping(bench: Workbench, name: str = "docs") -> Path:
    folder = bench.add_folder(name)
    bench.writer.change_source(name, {"keep_original": "true"})
    return folder


def original(bench: Workbench, document: str, as_of: int | str = "head") -> bytes:
    with KnowledgeBase(bench.home) as base:
        return base.original(document, as_of=as_of)


def test_bytes_are_kept_as_of_each_version(bench: Workbench) -> None:
    folder = keeping(bench)
    latin = "Caf\u00e9 \u00fcber alles, ein l\u00e4ngerer Satz.\r\n".encode("latin-1")
    (folder / "a.md").write_bytes(latin)
    bench.sync("docs")
    fill(folder, {"a.md": "# Two\n"})
    bench.sync("docs")
    assert original(bench, "docs:a.md", 1) == latin
    assert original(bench, "docs:a.md") == b"# Two\n"


def test_a_source_that_does_not_keep_them_says_so(bench: Workbench) -> None:
    fill(bench.add_folder("docs"), {"a.md": "# One\n"})
    bench.sync("docs")
    with pytest.raises(NotFound, match="keep_original=true"):
        original(bench, "docs:a.md")


def test_only_what_was_indexed_is_kept(bench: Workbench) -> None:
    folder = keeping(bench)
    fill(folder, {"a.md": "# One\n", "b.pdf": "no pdf at all"})
    bench.sync("docs")
    assert bench.session().store.originals.keys(1) == {version.content_sha256 for version in living(bench)}


def living(bench: Workbench):
    with KnowledgeBase(bench.home) as base:
        return base.documents()


def test_what_no_kept_version_needs_goes(bench: Workbench) -> None:
    folder = keeping(bench)
    for text in ("# One\n", "# Two\n"):
        fill(folder, {"a.md": text})
        bench.sync("docs")
    bench.writer.retain(Policy(last=1))
    assert original(bench, "docs:a.md") == b"# Two\n"
    assert bench.session().store.originals.keys(2) == {version.content_sha256 for version in living(bench)}


def test_what_a_killed_writer_left_is_taken_back(bench: Workbench) -> None:
    folder = keeping(bench)
    fill(folder, {"a.md": "# One\n"})
    bench.sync("docs")
    store = bench.session().store
    store.originals.write([[("0" * 64, b"left behind")]], 2)
    store.recover(1)
    assert store.originals.keys(9) == {version.content_sha256 for version in living(bench)}


def test_a_changed_original_is_found(bench: Workbench) -> None:
    folder = keeping(bench)
    fill(folder, {"a.md": "# One\n"})
    bench.sync("docs")
    bench.session().store.originals.write([[("0" * 64, b"not what it says")]], 1)
    with KnowledgeBase(bench.home) as base:
        assert [finding.what for finding in base.verify().findings] == ["changed original"]
