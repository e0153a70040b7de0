"""The scripts: the demo gives its three answers, the checks pass, nobody's files are deleted."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = (
    "scripts/setup",
    "scripts/test",
    "scripts/check",
    "scripts/demo",
    "scripts/bench",
    "scripts/stress",
    "scripts/sample/handbook/build",
    ".ci/run",
)
BUILD = ROOT / "scripts/sample/handbook/build"
HANDBOOK_HEAD = "88344ef1fa59d45be14bad076079b14093e6db47"


def call(
    *command: str | Path, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a demo ran before, and somebody left a file."""
    directory = tmp_path_factory.mktemp("demo")
    (directory / ".gitignore").write_text("# Made by scripts/demo, which makes it anew.\n*\n")
    (directory / "notes.txt").write_text("mine")
    (directory / ".kb").mkdir()
    (directory / ".kb" / "config.toml").write_text("stale = true")
    return directory


@pytest.fixture(scope="module")
def transcript(directory: Path) -> dict[str, str]:
    """What the demo printed, by the command that printed it."""
    run = call("scripts/demo", directory, environment={"KB_HOME": "/nowhere"})
    assert run.returncode == 0, run.stdout + run.stderr
    parts = re.split(r"^\$ (.*)\n", run.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("reference", "days"), [(" --as-of 1", 14), (" --as-of handbook@2024-06-30", 30), ("", 60)])
def test_demo_answers_as_of_each_version(transcript: dict[str, str], reference: str, days: int) -> None:
    question = "How many days do customers have to ask for a refund?"
    answer = transcript[f"kb search '{question}' -k 1{reference}"]
    assert re.findall(r"Customers have\s+(\d+)\s+days", answer) == [str(days)]


def test_demo_shows_the_change_and_the_proof(transcript: dict[str, str]) -> None:
    change = transcript["kb diff 1 2 --text"]
    assert "-Customers have 14 days to ask for a refund." in change
    assert "+Customers have 30 days to ask for a refund." in change
    assert "handbook:parking.md" in transcript["kb diff handbook@2024-06-30 head"]
    assert any('"content_sha256"' in output for command, output in transcript.items() if "--json" in command)
    assert "everything holds" in transcript["kb verify --sources"]


def test_demo_leaves_what_it_did_not_make(transcript: dict[str, str], directory: Path) -> None:
    assert transcript
    assert (directory / "notes.txt").read_text() == "mine"


def test_demo_refuses_a_directory_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    run = call("scripts/demo", tmp_path)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["papers"]


def test_handbook_has_the_same_commits_whatever_the_settings_of_git(tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[commit]\n gpgsign = true\n[core]\n autocrlf = true\n[user]\n name = Me\n")
    settings = {"HOME": str(tmp_path), "TZ": "Asia/Tokyo", "GIT_DIR": str(tmp_path / "elsewhere")}
    assert call(BUILD, tmp_path / "handbook", environment=settings).returncode == 0
    log = call("git", "-C", tmp_path / "handbook", "log", "--format=%H %cI %s")
    assert (
        log.stdout.splitlines()[0] == f"{HANDBOOK_HEAD} 2025-02-17T11:00:00+00:00 Give customers 60 days for a refund"
    )
    assert len(log.stdout.splitlines()) == 5


def test_setup_says_in_one_line_that_python_is_too_old(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup", tmp_path / "scripts/setup")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    run = call(tmp_path / "scripts/setup", environment={"PYTHON": "false"})
    assert run.returncode == 1
    assert run.stderr == "scripts/setup: false is not Python 3.11 or newer: install one, or name it in PYTHON\n"
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert call("sh", "-n", script).returncode == 0


def test_checks_pass() -> None:
    run = call("scripts/check")
    assert run.returncode == 0, run.stdout + run.stderr
