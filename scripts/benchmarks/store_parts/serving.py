"""A serving process alone: opens a knowledge base, answers questions as of three versions, and tells its peak memory.

Started by `measure` as a program of its own; prints one JSON object.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kb.memory import bound

_ROOT: Final = Path(__file__).resolve().parents[3]


def measure(home: Path, versions: Sequence[int], searches: int) -> float:
    """Peak memory in MB. Raises CalledProcessError where the process fails."""
    command = [sys.executable, "-m", "scripts.benchmarks.store_parts.serving", str(home), str(searches)]
    command += map(str, versions)
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=_ROOT, env=environment)
    return float(json.loads(done.stdout)["peak_mb"])


def peak_mb() -> float:
    """Of this process since it began to run this program.

    `getrusage` counts, on Linux, also the memory that the parent had when it started the process.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def main() -> None:
    # As `kb serve` begins: before Arrow is loaded.
    bound()
    from scripts.benchmarks.store_parts.passages import questions
    from scripts.benchmarks.store_parts.publishing import open_made

    home, searches, *versions = sys.argv[1:]
    with open_made(Path(home)) as base:
        base.warm()
        asked = questions()
        for place in range(int(searches)):
            base.search(asked[place % len(asked)], as_of=int(versions[place % len(versions)]))
    if "torch" in sys.modules:
        raise SystemExit("torch was imported: the peak would count it")
    print(json.dumps({"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
