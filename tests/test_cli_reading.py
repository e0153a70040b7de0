"""What the reading commands say of a home, in words and as JSON, and which versions tags name."""

from pathlib import Path

import pytest
from cli_shapes import DOCUMENT, check_shape
from cli_support import reply, said, two_sources
from crash_support import call


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("cli"))


def test_search(home: Path) -> None:
    found = reply(home, "search", "return goods days", "--as-of", "first", "-k", "1")
    (hit,) = found["hits"]
    assert (found["query"], found["mode"], found["exact"]) == ("return goods days", "hybrid", False)
    assert found["as_of"] == {**found["as_of"], "reference": "first", "version": 1}
    assert "30 days" in hit["text"]
    where = hit["provenance"]
    assert (where["source"], where["uri"], where["section"]) == ("docs", "refunds.md", ["Refunds", "Period"])
    assert (where["version"], where["since"], where["until"], where["page"]) == (1, 1, 2, None)
    assert hit["rank"] == hit["scores"]["dense_rank"] == hit["scores"]["bm25_rank"] == 1
    words = said(home, "search", "return goods days", "-k", "1")
    assert "version 4" in words
    assert "60 days" in words
    assert "docs:refunds.md" in words


def test_search_finds_nothing(home: Path) -> None:
    assert reply(home, "search", "zzz", "--mode", "bm25")["hits"] == []
    assert "nothing matches" in said(home, "search", "zzz", "--mode", "bm25")


def test_log(home: Path) -> None:
    found = reply(home, "log")
    assert [snapshot["version"] for snapshot in found] == [4, 3, 2, 1]
    assert [snapshot["parent"] for snapshot in found] == [3, 2, 1, None]
    assert [snapshot["message"] for snapshot in found] == ["day 2", "day 1", "longer", None]
    assert found[2]["documents"] == {"added": 0, "changed": 1, "removed": 0, "total": 2}
    assert found[0]["source_time"] == "2024-01-02T12:00:00.000000Z"
    assert len(found[0]["source_revision"]) == 40
    assert [snapshot["version"] for snapshot in reply(home, "log", "-n", "2")] == [4, 3]
    assert [snapshot["version"] for snapshot in reply(home, "log", "--source", "docs")] == [2, 1]
    lines = said(home, "log").splitlines()
    assert len(lines) == 4
    # In front stands when it was published, by which a version is asked for; when it was committed, by the commit.
    published = found[0]["committed_at"][:19].replace("T", " ")
    assert lines[0].strip().split("  ")[1:3] == [
        published,
        f"code@{found[0]['source_revision'][:10]} of 2024-01-02 12:00:00",
    ]


def test_show(home: Path) -> None:
    found = reply(home, "show", "2")
    assert [(change["change"], change["uri"]) for change in found["documents"]] == [("changed", "refunds.md")]
    assert found["pipeline"]["embedder"] == "hashing:32"
    assert reply(home, "show", "1")["tags"] == ["first"]
    words = said(home, "show", "2")
    assert found["snapshot"]["digest"] in words
    assert "~ docs:refunds.md" in words


def test_diff(home: Path) -> None:
    documents = reply(home, "diff", "1", "3")
    assert (documents["from"], documents["to"], documents["chunks"], documents["results"]) == (1, 3, [], [])
    changes = {change["uri"]: change for change in documents["documents"]}
    assert {uri: change["change"] for uri, change in changes.items()} == {"refunds.md": "changed", "a.py": "added"}
    check_shape(changes["refunds.md"]["before"], DOCUMENT)
    assert changes["a.py"]["before"] is None
    (back,) = reply(home, "diff", "2", "1", "--text")["documents"]
    assert "-Customers may return goods within 60 days." in back["text"]
    assert "+Customers may return goods within 30 days." in back["text"]
    chunks = reply(home, "diff", "1", "2", "--level", "chunks")["chunks"]
    assert sorted(chunk["change"] for chunk in chunks) == ["added", "removed"]
    results = reply(home, "diff", "1", "2", "--level", "results", "--query", "goods")["results"]
    assert {(result["before"], result["after"]) for result in results} == {(1, None), (None, 1)}
    assert "no difference" in said(home, "diff", "head", "head")


def test_history_and_cat(home: Path) -> None:
    found = reply(home, "history", "docs:refunds.md")
    assert [(version["since"], version["until"]) for version in found] == [(1, 2), (2, 2**31 - 1)]
    identity = found[0]["document_id"]
    assert reply(home, "history", identity[:10]) == found
    assert said(home, "cat", identity, "--as-of", "1") == reply(home, "cat", "docs:refunds.md", "--as-of", "1")["text"]


def test_tags(home: Path) -> None:
    assert reply(home, "tag", "second", "2") == {"name": "second", "version": 2}
    assert reply(home, "tag", "second", "2") == {"name": "second", "version": 2}
    assert reply(home, "tag", "--list") == {"first": 1, "second": 2}
    taken = call("--home", home, "tag", "second", "3")
    assert taken.code == 2
    assert "already names version 2" in taken.error
    assert reply(home, "tag", "--delete", "second") == {"deleted": "second"}
    assert reply(home, "tag", "now")["version"] == 4
    assert reply(home, "tag", "--delete", "now")
    assert call("--home", home, "tag").code == 2


def test_status(home: Path) -> None:
    found = reply(home, "status")
    assert (found["head"], found["documents"], found["model"]) == (4, 4, "hashing:32")
    code, docs = found["sources"]
    assert (code["source"]["name"], code["documents"], code["quarantine"]) == ("code", 2, {})
    assert (docs["source"]["owner"], docs["documents"], docs["quarantine"]) == ("ada", 2, {"corrupt": 1})
    assert found["catalog_bytes"] > 0 < found["store_bytes"]
    assert found["daemon"] is None
    assert "no daemon runs: `kb up` follows the sources" in call("--home", home, "status").out.decode()
