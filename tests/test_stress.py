"""The short forms of `scripts/stress`: the same programs, for seconds."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def stress(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"scripts/stresses/{name}.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_readers_see_no_error_and_no_other_version_beside_a_writer() -> None:
    run = stress("readers", "--seconds", "10", "--size", "1000")
    assert run.returncode == 0, run.stderr
    searches = re.search(r"^(\d+) searches by 4 readers without an error$", run.stdout, re.MULTILINE)
    assert searches, run.stdout
    assert int(searches[1]) >= 4


def test_old_versions_answer_the_same_whatever_happens_around_them() -> None:
    run = stress("answers", "--size=400", "--before=8", "--after=8", "--samples=5", "--questions=1")
    assert run.returncode == 0, run.stderr
    places = re.findall(r"^(.*): 5 exact answers the same to the byte; default overlap", run.stdout, re.MULTILINE)
    assert places == ["after more commits and upkeep", "after retention", "in a copy elsewhere"], run.stdout


def test_a_killed_writer_loses_doubles_and_leaves_nothing() -> None:
    run = stress("kills", "--kills", "6", "--seed", "1")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^6 kills, \d+ times the work was quicker; everything holds$", run.stdout, re.MULTILINE)


def test_a_full_or_read_only_disk_stops_a_sync_and_nothing_else() -> None:
    run = stress("disk", "--trials", "3", "--seed", "4")
    if run.returncode == 3:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert re.search(r"^3 trials: .*refused by a full disk", run.stdout), run.stdout
    assert "refused by a read-only home" in run.stdout
