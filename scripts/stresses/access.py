"""stress access: never a hidden document, nor a sign of one, whoever asks by whatever way.

The long form of the property tests: random documents, access lists that change, versions and groups. What a caller
gets, from the library and with a real key from a server (by the client, by every route, by agents' tools), is held
against a knowledge base in which nothing hidden from it ever was. Each round has examples of its own.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from scripts.stresses.parts.told import must, outcome

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ("tests/test_sight.py", "tests/test_sight_served.py")


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress access", description="Signs of hidden documents.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="5 by default, some minutes each")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the first round's examples")
    asked = parser.parse_args()
    return outcome("access", lambda: run(asked.rounds, asked.seed))


def run(rounds: int, seed: int) -> None:
    began = time.monotonic()
    for number in range(seed, seed + rounds):
        command = [sys.executable, "-m", "pytest", "--quiet", f"--hypothesis-seed={number}", *TESTS]
        environment = {**os.environ, "HYPOTHESIS_PROFILE": "long", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        must(done.returncode == 0, f"seed {number}: {done.stdout[-8_000:]}")
        print(f"seed {number}: no sign of a hidden document, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
