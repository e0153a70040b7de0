"""`kb up` as a process: locks, ports, signals, kills, and what other terminals hand to it."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from crash_support import KB, QuickWriter, command, git, rows, write

import kb
from indexer.creation import create
from kb.daemon import find
from kb.home import open_home
from scripts.stresses.parts.faulty import plug
from scripts.stresses.parts.up import STOPS_WITHIN_S, Up, environment, launch, up

SECRET = "s3cr3t-that-nobody-may-see"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path / "docs", {"a.md": "# A\n\nalpha"})
    home = create(tmp_path / "home", "hashing:32")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    return home


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What goes on the path for the kind `faulty`."""
    plug(tmp_path / "plugged")
    monkeypatch.syspath_prepend(tmp_path / "plugged")
    return str(tmp_path / "plugged")


def add_faulty(home: Path, name: str, **options: str) -> Path:
    folder = home.parent / name
    write(folder, {"f.md": f"# {name}\n\nbeta"})
    QuickWriter(home).add_source(name, "faulty", {"path": str(folder), **options})
    return folder


@pytest.fixture
def running(home: Path) -> Iterator[Up]:
    with up(home) as daemon:
        daemon.told.await_line("published", source="docs")
        yield daemon


def synced(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [KB, "--home", home, "sync", *arguments], env=environment(), capture_output=True, text=True, check=False
    )


def test_a_second_writer_is_told_who_works(home: Path, running: Up) -> None:
    refused = command("--home", home, "up", "--port", "0")
    assert (refused.code, refused.error.count("\n")) == (5, 1)
    assert f"process {running.process.pid} " in refused.error


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("--home", home, "up", "--port", str(port))
    assert refused.code == 2
    assert re.fullmatch(rf"kb: cannot listen on 127\.0\.0\.1:{port}: .*--port\n", refused.error)
    assert not (home / "daemon.json").exists()


def test_what_it_serves(home: Path, running: Up) -> None:
    running.told.begin_anew()
    running.told.await_line("ready")
    assert running.get("/health/live").json() == {"status": "alive"}
    assert running.get("/health/ready").status_code == 200
    metrics = running.get("/metrics").text
    assert 'kb_source_documents{source="docs"} 1.0' in metrics
    assert 'kb_source_circuit_open{source="docs"} 0.0' in metrics


def test_status_says_where_it_is(home: Path, running: Up) -> None:
    (listening,) = running.told.events("listening")
    assert json.loads(command("--home", home, "status", "--json").out)["daemon"] == listening["url"]
    assert f"daemon at {listening['url']}\n" in command("--home", home, "status").out.decode()


def test_work_is_handed_over(home: Path, running: Up) -> None:
    pid = running.process.pid
    done = synced(home, "--json")
    assert (done.returncode, done.stderr) == (0, f"handed to the daemon (process {pid})\n")
    assert json.loads(done.stdout)["snapshots"] == []
    assert synced(home, "dogs").returncode == 3
    assert synced(home, "no/such?").returncode == 3
    write(home.parent / "docs", {"broken.pdf": b"%PDF-1.4 broken"})
    assert synced(home, "docs").returncode == 6
    os.rename(home.parent / "docs", home.parent / "away")
    refused = synced(home, "docs")
    assert refused.returncode == 6
    assert "is not there" in refused.stderr
    (home.parent / "docs").mkdir()
    assert synced(home, "docs").returncode == 6
    assert synced(home, "docs", "--allow-deletes").returncode == 0
    removed = command("--home", home, "source", "remove", "docs", "--purge", "--json")
    assert (removed.code, json.loads(removed.out)["removed"]) == (0, "docs")
    assert command("--home", home, "retain", "--keep-last", "1").code == 0
    assert rows(home, "SELECT name FROM source") == []


def test_sigterm_ends_it_at_once_when_it_rests(home: Path, running: Up) -> None:
    code, took_s = running.stop()
    assert (code, took_s < STOPS_WITHIN_S) == (0, True)
    assert not (home / "daemon.json").exists()
    assert not (home / "daemon.sock").exists()
    assert running.told.events("words") == []
    assert synced(home).returncode == 0


def test_sigterm_while_a_source_hangs(home: Path, plugged: str) -> None:
    gate = home.parent / "gate"
    os.mkfifo(gate)
    add_faulty(home, "slow", gate=str(gate))
    with up(home, PYTHONPATH=plugged) as daemon, open(gate, "wb"):
        daemon.told.await_line("published", source="docs")
        waiting = launch(["--home", str(home), "sync", "slow"], PYTHONPATH=plugged)
        assert "handed" in waiting.stderr.readline()
        code, took_s = daemon.stop()
        assert (code, took_s < STOPS_WITHIN_S) == (0, True)
        assert daemon.told.events("left behind")[0]["sources"] == ["slow"]
        assert waiting.wait(STOPS_WITHIN_S) == 130
    with up(home, PYTHONPATH=plugged) as daemon:
        with open(gate, "wb"):
            pass
        gate.unlink()
        daemon.told.await_line("published", source="slow")


def test_very_many_who_wait_for_one_that_hangs_keep_nobody_else(home: Path, plugged: str) -> None:
    gate = home.parent / "gate"
    os.mkfifo(gate)
    add_faulty(home, "slow", gate=str(gate))
    asked = b"POST /v1/sources/slow/sync HTTP/1.1\r\nHost: kb\r\nContent-Length: 0\r\n\r\n"
    with ExitStack() as stack:
        daemon = stack.enter_context(up(home, PYTHONPATH=plugged))
        daemon.await_ready()
        stack.enter_context(open(gate, "wb"))
        endpoint = find(open_home(home))
        assert endpoint is not None
        for _ in range(100):
            one = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            one.connect(endpoint.path)
            one.sendall(asked)
        assert synced(home, "docs").returncode == 0
        assert daemon.get("/health/ready").status_code == 200
        assert daemon.stop()[1] < STOPS_WITHIN_S


def test_sigterm_while_it_embeds_and_on_from_there(home: Path) -> None:
    words = {
        f"{n}.md": "\n\n".join(f"## {n} {k}\n\n" + " ".join(f"w{k}x{m}" for m in range(90)) for k in range(150))
        for n in range(8)
    }
    write(home.parent / "docs", words)
    with up(home) as daemon:
        while not rows(home, "SELECT 1 FROM pending_vector LIMIT 1"):
            assert daemon.process.poll() is None
        code, took_s = daemon.stop()
        assert (code, took_s < STOPS_WITHIN_S) == (0, True)
    with up(home) as daemon:
        daemon.told.await_line("published", source="docs")
    with kb.open(home) as base:
        assert len(base.documents()) == 9
        assert base.verify().findings == ()


def test_sighup_looks_at_everything(home: Path, plugged: str) -> None:
    folder = add_faulty(home, "far")
    folder.with_suffix(".fault").write_text("refuse")
    with up(home, PYTHONPATH=plugged) as daemon:
        daemon.told.await_line("failed", source="far")
        folder.with_suffix(".fault").unlink()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.told.await_line("published", source="far")
        assert daemon.process.poll() is None


def test_after_kills_nothing_is_lost(home: Path) -> None:
    for number in range(4):
        write(home.parent / "docs", {f"{number}.md": f"# {number}\n\nword{number}"})
        with up(home) as daemon:
            while not rows(home, f"SELECT 1 FROM document WHERE uri = '{number}.md' LIMIT {number % 2 + 1}"):
                # Killed while it commits, or before it has begun.
                if number == 1 or daemon.process.poll() is not None:
                    break
            assert daemon.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    assert (home / "daemon.json").exists()
    assert find(open_home(home)) is None
    done = synced(home)
    assert (done.returncode, "handed" in done.stderr) == (0, False)
    with kb.open(home) as base:
        assert sorted(one.uri for one in base.documents()) == ["0.md", "1.md", "2.md", "3.md", "a.md"]
        assert base.verify().findings == ()
    with up(home) as daemon:
        daemon.await_ready()


def test_sources_of_another_terminal_are_taken_up(home: Path, running: Up, tmp_path: Path) -> None:
    write(tmp_path / "more", {"m.md": "more"})
    assert command("--home", home, "source", "add", "more", "folder", f"path={tmp_path / 'more'}").code == 0
    running.told.await_line("published", source="more")
    write(tmp_path / "elsewhere", {"e.md": "elsewhere", "m.md": "more"})
    assert command("--home", home, "source", "set", "more", f"path={tmp_path / 'elsewhere'}").code == 0
    running.told.await_line("published", source="more")
    write(tmp_path / "elsewhere", {"f.md": "further"})
    running.told.await_line("published", source="more")
    assert command("--home", home, "source", "remove", "more").code == 0
    running.told.await_line("source removed", source="more")


def test_a_checkout_of_another_branch(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree, {f"{n}.md": f"# {n}\n\nold {n}" for n in range(40)})
    git(tree, "init", "--quiet", "--initial-branch=main")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "old")
    git(tree, "checkout", "--quiet", "-b", "other")
    write(tree, {f"new/{n % 7}/{n}.md": f"# {n}\n\nnew {n}" for n in range(60)} | {"0.md": "# 0\n\nother"})
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "new")
    git(tree, "checkout", "--quiet", "main")
    home = create(tmp_path / "home", "hashing:8")[0].path
    QuickWriter(home).add_source("tree", "folder", {"path": str(tree)})
    with up(home) as daemon:
        daemon.told.await_line("published", source="tree")
        git(tree, "checkout", "--quiet", "other")
        daemon.told.await_line("published", source="tree")
        while rows(home, "SELECT count(*) FROM document WHERE until > 2000000000")[0][0] < 100:
            daemon.told.await_line("published", source="tree")
        with kb.open(home) as base:
            assert base.document("tree:0.md").text == "# 0\n\nother"


def test_secrets_are_nowhere(home: Path, plugged: str) -> None:
    folders = {
        fault: add_faulty(home, fault, token="${TOKEN}", every="1s") for fault in ("refuse", "crash", "half", "fine")
    }
    for fault, folder in folders.items():
        write(folder, {"g.md": "gamma", "h.md": "delta"})
        folder.with_suffix(".fault").write_text(fault)
    with up(home, PYTHONPATH=plugged, TOKEN=SECRET) as daemon:
        for fault in ("refuse", "crash", "half"):
            assert "token" in daemon.told.await_line("failed", source=fault)["error"]
            daemon.told.begin_anew()
        asked = [
            command("--home", home, *words)
            for words in (("sync", "refuse"), ("source", "show", "crash"), ("status", "--json"), ("source", "list"))
        ]
        said = [one.out.decode() + one.error for one in asked] + [daemon.get("/metrics").text]
        assert daemon.stop()[0] == 0
        said.append(daemon.told.getvalue())
    assert [words for words in said if SECRET in words] == []
    assert "${TOKEN}" in said[1]
    for file in home.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
