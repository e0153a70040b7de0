"""The short forms of `scripts/stress`: the same programs, for seconds."""

import os
import re
import subprocess
import sys
from pathlib import Path

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
