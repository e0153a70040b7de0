"""How `kb` behaves as a process: what it imports, closed pipes, terminals, Ctrl-C."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_support import reply, two_sources
from crash_support import KB, QuickWriter, call, command, rows, write

from indexer.creation import create


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("cli"))


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


def test_kb_home_names_the_home_also_before_there_is_one(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = command("init", "--model", "hashing:8", cwd=elsewhere, home=home)
    assert (made.code, list(elsewhere.iterdir())) == (0, [])
    assert command("log", cwd=elsewhere, home=home).code == 0


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


@pytest.mark.parametrize(("stop", "number"), [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)])
def test_a_stop_and_the_next_sync(tmp_path: Path, stop: Callable[[int, int], None], number: signal.Signals) -> None:
    """It stops with one line and code 130; the next goes on from there, with its progress on the terminal alone."""
    write(tmp_path / "docs", {f"{name}.md": long_words(name) for name in range(8)})
    home = create(tmp_path / "home", "hashing:256")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    first = (KB, "--home", home, "sync")
    process = subprocess.Popen(first, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with closing(sqlite3.connect(home / "catalog.sqlite", timeout=60, isolation_level=None)) as held:
        # Whoever holds the catalog knows that nothing is published while it looks.
        held.execute("BEGIN IMMEDIATE")
        while not held.execute("SELECT 1 FROM pending_vector LIMIT 1").fetchone():
            held.execute("ROLLBACK")
            assert process.poll() is None
            held.execute("BEGIN IMMEDIATE")
        stop(process.pid, number)
        held.execute("ROLLBACK")
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
