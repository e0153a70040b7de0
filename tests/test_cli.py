"""The `kb` command: what each of its commands prints, for people and as JSON, and how it behaves as a process."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from crash_support import KB, QuickWriter, call, command, commit, frozen, rows, sync, write

import kb
from indexer.creation import create

TEXT, NUMBER, NOTHING = str, (int, float), type(None)
SNAPSHOT: Mapping[str, Any] = {
    "version": int,
    "parent": (int, NOTHING),
    "committed_at": str,
    "source": (str, NOTHING),
    "source_revision": (str, NOTHING),
    "source_time": (str, NOTHING),
    "message": (str, NOTHING),
    "fingerprint": str,
    "documents": {"added": int, "changed": int, "removed": int, "total": int},
    "chunks": {"added": int, "removed": int, "embedded": int, "reused": int, "total": int},
    "content_digest": str,
    "rows_digest": str,
    "changes_digest": str,
    "digest": str,
}
DOCUMENT: Mapping[str, Any] = {
    "document_id": str,
    "source": str,
    "uri": str,
    "since": int,
    "until": int,
    "title": (str, NOTHING),
    "media_type": str,
    "content_sha256": str,
    "text_sha256": str,
    "layout": str,
    "source_revision": (str, NOTHING),
    "modified_at": (str, NOTHING),
    "fingerprint": str,
    "metadata": dict,
}
SERVED: Mapping[str, Any] = {"reference": str, "version": int, "committed_at": str, "digest": str}
PROVENANCE: Mapping[str, Any] = {
    "source": str,
    "uri": str,
    "title": (str, NOTHING),
    "section": list,
    "start": int,
    "end": int,
    "page": (int, NOTHING),
    "source_revision": (str, NOTHING),
    "modified_at": (str, NOTHING),
    "content_sha256": str,
    "text_sha256": str,
    "version": int,
    "since": int,
    "until": (int, NOTHING),
    "fingerprint": str,
    "embedder": str,
}
SCORES: Mapping[str, Any] = {
    "dense": (float, NOTHING),
    "dense_rank": (int, NOTHING),
    "bm25": (float, NOTHING),
    "bm25_rank": (int, NOTHING),
}
HIT: Mapping[str, Any] = {
    "rank": int,
    "score": float,
    "scores": SCORES,
    "text": str,
    "chunk_id": str,
    "document_id": str,
    "provenance": PROVENANCE,
}
ANSWER: Mapping[str, Any] = {
    "query": str,
    "request_id": str,
    "mode": str,
    "exact": bool,
    "took_ms": NUMBER,
    "as_of": SERVED,
    "hits": [HIT],
}
CHANGE: Mapping[str, Any] = {
    "uri": str,
    "source": str,
    "change": str,
    "before": (dict, NOTHING),
    "after": (dict, NOTHING),
    "text": (str, NOTHING),
}
CHUNK_CHANGE: Mapping[str, Any] = {
    "uri": str,
    "source": str,
    "change": str,
    "chunk_id": str,
    "text_sha256": str,
    "section": list,
    "text": str,
}
RESULT_CHANGE: Mapping[str, Any] = {
    "query": str,
    "uri": str,
    "source": str,
    "chunk_id": str,
    "before": (int, NOTHING),
    "after": (int, NOTHING),
}
QUARANTINED: Mapping[str, Any] = {
    "source": str,
    "uri": str,
    "reason": str,
    "detail": str,
    "content_sha256": (str, NOTHING),
    "first_seen": str,
    "last_seen": str,
}
SOURCE: Mapping[str, Any] = {
    "name": str,
    "kind": str,
    "options": dict,
    "owner": (str, NOTHING),
    "every": (str, NOTHING),
    "cron": (str, NOTHING),
    "created_at": str,
}
STATUS: Mapping[str, Any] = {
    "home": str,
    "model": str,
    "head": int,
    "committed_at": str,
    "documents": int,
    "chunks": int,
    "catalog_bytes": int,
    "store_bytes": int,
    "sources": [
        {
            "source": SOURCE,
            "documents": int,
            "quarantine": dict,
            "skipped": dict,
            "last_run": str,
            "last_error": (str, NOTHING),
            "last_published": str,
            "source_revision": (str, NOTHING),
        }
    ],
}
PLAN: Mapping[str, Any] = {
    "source": str,
    "snapshots": int,
    "added": int,
    "changed": int,
    "removed": int,
    "embed": int,
    "reuse": int,
    "tokens": int,
    "seconds": (float, NOTHING),
    "quarantine": int,
    "refusal": (str, NOTHING),
}
FINDING: Mapping[str, Any] = {"what": str, "subject": str, "detail": str}
VERIFICATION: Mapping[str, Any] = {
    "version": int,
    "snapshots": int,
    "documents": int,
    "chunks": int,
    "sources": int,
    "findings": [FINDING],
}
DIFF: Mapping[str, Any] = {
    "from": int,
    "to": int,
    "documents": [CHANGE],
    "chunks": [CHUNK_CHANGE],
    "results": [RESULT_CHANGE],
}
REPORT: Mapping[str, Any] = {
    "snapshots": [SNAPSHOT],
    "quarantined": [QUARANTINED],
    "refused": [{"source": str, "error": str}],
    "skipped": dict,
}


def check_shape(value: Any, shape: Any, where: str = "$") -> None:
    """Exactly the keys of the shape, each of its type; a list's one shape is that of all its members."""
    if isinstance(shape, Mapping):
        assert isinstance(value, dict), where
        assert list(value) == list(shape), where
        for key, part in shape.items():
            check_shape(value[key], part, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, part in enumerate(value):
            check_shape(part, shape[0], f"{where}[{number}]")
    else:
        assert isinstance(value, shape), where
        assert not isinstance(value, bool) or shape is bool, where


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of a folder, two of a repository, one document in quarantine."""
    path = tmp_path_factory.mktemp("cli")
    home = create(path / "home", "hashing:32")[0].path
    writer = QuickWriter(home)
    text = "# Refunds\n\n## Period\n\nCustomers may return goods within 30 days.\n"
    write(path / "docs", {"refunds.md": text, "other.md": "# Other\n\nalpha beta", "broken.pdf": b"%PDF-1.4 broken"})
    writer.add_source("docs", "folder", {"path": str(path / "docs")}, owner="ada")
    sync(home)
    write(path / "docs", {"refunds.md": text.replace("30", "60")})
    writer.sync(message="longer")
    commit(path / "code", {"a.py": "def alpha():\n    return 1\n"}, day=1)
    commit(path / "code", {"b.md": "# B\n\nbeta\n"}, day=2)
    writer.add_source("code", "git", {"url": str(path / "code"), "history": "all"})
    sync(home)
    with kb.open(home) as base:
        base.tag("first", 1)
    return home


def reply(home: Path, *arguments: str) -> Any:
    """What a command prints with `--json`: one document, and nothing on stderr."""
    called = call("--home", home, *arguments, "--json")
    assert (called.code, called.error) == (0, "")
    return json.loads(called.out)


def said(home: Path, *arguments: str) -> str:
    """What a command prints for people."""
    called = call("--home", home, *arguments)
    assert (called.code, called.error) == (0, "")
    return called.out.decode()


SHAPES: dict[str, Any] = {
    "search alpha": ANSWER,
    "search alpha --mode bm25 --exact -k 2 --as-of 1": ANSWER,
    "search alpha --mode dense --filter source=code --filter uri=*.py": ANSWER,
    "log": [SNAPSHOT],
    "log -n 1 --source code": [SNAPSHOT],
    "show": {"snapshot": SNAPSHOT, "documents": [CHANGE], "pipeline": dict, "tags": list},
    "show first": {"snapshot": SNAPSHOT, "documents": [CHANGE], "pipeline": dict, "tags": list},
    "diff 1 head": DIFF,
    "diff 2 1 --text": DIFF,
    "diff 1 2 --level chunks": DIFF,
    "diff 1 head --level results --query days --query alpha": DIFF,
    "history docs:refunds.md": [DOCUMENT],
    "cat docs:refunds.md --as-of 1": {"version": DOCUMENT, "as_of": SERVED, "text": str},
    "tag --list": {"first": int},
    "status": STATUS,
    "quarantine": [QUARANTINED],
    "quarantine list docs": [QUARANTINED],
    "verify": VERIFICATION,
    "verify --sources": VERIFICATION,
    "source list": [SOURCE],
    "source show docs": SOURCE,
    "source check code": {"documents": int, "revision": (str, NOTHING), "skipped": dict},
    "plan": [PLAN],
    "plan docs": [PLAN],
}


@pytest.mark.parametrize(("arguments", "shape"), SHAPES.items(), ids=SHAPES)
def test_json(home: Path, arguments: str, shape: Any) -> None:
    before = frozen(home)
    found = reply(home, *arguments.split())
    check_shape(found, shape)
    assert found
    assert said(home, *arguments.split()).strip()
    assert frozen(home) == before


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
    assert len(said(home, "log").splitlines()) == 4


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


# Writing


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


# As a process


def test_version_and_help(tmp_path: Path) -> None:
    version = command("--version", cwd=tmp_path)
    assert (version.code, version.error) == (0, "")
    assert version.out.startswith(b"kb, version ")
    for flags in (("-h",), ("--help",), ("search", "-h"), ("source", "add", "--help")):
        shown = call(*flags)
        assert (shown.code, shown.error) == (0, "")
        assert b"Usage: kb" in shown.out


def test_home_is_found_from_below(home: Path, tmp_path: Path) -> None:
    (tmp_path / "project" / "deep").mkdir(parents=True)
    (tmp_path / "project" / ".kb").symlink_to(home)
    assert len(command("log", cwd=tmp_path / "project" / "deep").out.splitlines()) == 4


def test_reading_commands_load_no_model(home: Path) -> None:
    """Nor LanceDB, where the catalog alone can answer."""
    program = f"""
import sys
from indexer.cli import run, root
def ask(*words):
    sys.argv = ["kb", "--home", {str(home)!r}, *words]
    assert run(root) == 0
for words in (["log"], ["show"], ["history", "docs:refunds.md"], ["status"], ["diff", "1", "2"], ["tag", "--list"]):
    ask(*words)
assert not {{"lancedb", "pyarrow"}} & sys.modules.keys()
ask("diff", "1", "2", "--text")
ask("cat", "docs:refunds.md")
assert not {{"torch", "transformers", "sentence_transformers", "unstructured", "alembic"}} & sys.modules.keys()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments", [("log",), ("log", "--json"), ("cat", "docs:refunds.md"), ("search", "alpha", "--mode", "bm25")]
)
def test_a_closed_pipe_is_no_error(home: Path, arguments: tuple[str, ...]) -> None:
    """As in `kb log | head -0`."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ran = subprocess.run(
            [KB, "--home", str(home), *arguments], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ran.returncode, ran.stderr) == (0, "")


def long_words(name: int) -> str:
    sections = (f"## {name} {n}\n\n" + " ".join(f"word{n % 7}x{k}" for k in range(90)) for n in range(150))
    return "\n\n".join(sections)


def drain(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Nobody holds the other end any more.
            return
        if not read:
            return
        yield read


def test_ctrl_c_and_the_next_sync(tmp_path: Path) -> None:
    """It stops with one line and code 130; the next goes on from there, with its progress on the terminal alone."""
    write(tmp_path / "docs", {f"{name}.md": long_words(name) for name in range(8)})
    home = create(tmp_path / "home", "hashing:256")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    first = (KB, "--home", home, "sync")
    process = subprocess.Popen(first, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not rows(home, "SELECT 1 FROM pending_vector LIMIT 1"):
        pass
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate() == (b"", b"kb: stopped; nothing that was published is lost\n")
    assert process.returncode == 130
    assert reply(home, "log") == []
    assert reply(home, "status")["sources"][0]["last_error"] == "interrupted"
    kept = rows(home, "SELECT count(*) FROM pending_vector")[0][0]
    assert kept > 0
    ours, theirs = pty.openpty()
    process = subprocess.Popen([KB, "--home", home, "sync", "--json"], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b"".join(drain(ours)).decode()
    out, _ = process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert "docs: documents" in shown
    assert "docs: chunks to embed" in shown
    (snapshot,) = json.loads(out)["snapshots"]
    assert snapshot["documents"]["added"] == 8
    assert snapshot["chunks"]["embedded"] + kept == snapshot["chunks"]["added"]
    assert reply(home, "verify")["findings"] == []
