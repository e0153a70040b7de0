"""The public contracts in schemas/ are those of the types, and what the command prints keeps to them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_schemas_are_as_the_types_have_them() -> None:
    command = [sys.executable, "scripts/generate_schemas.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((ROOT / "schemas").glob("*.json"))) > 10
