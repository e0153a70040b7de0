"""stress readers: four processes that read at random versions without pause, while one commits, tidies and lets expire.

Every answer is held against a plain model of the corpus. A text that its version brought must be found first, a text
that its version ended must not be found, and no hit may be of another version. Any error and any wrong answer ends the
run with exit code 1; else it prints what was read and written.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.passages import DATA, passages
from scripts.stresses.parts.reading import read
from scripts.stresses.parts.writing import HistoryWriter

READERS: Final = 4


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress readers", description="Readers beside a writer.")
    parser.add_argument("--seconds", type=int, default=120, metavar="N", help="how long, 120 by default")
    parser.add_argument("--size", type=int, default=5_000, metavar="N", help="live chunks, 5,000 by default")
    asked = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(2, f"stress readers: the texts are missing: put them into {DATA}\n")
    with tempfile.TemporaryDirectory() as directory:
        return run(Path(directory) / "kb", asked.size, asked.seconds)


def run(home: Path, size: int, seconds: int) -> int:
    writer = HistoryWriter(home, Corpus(passages(), size))
    until = time.time() + seconds
    # LanceDB's threads do not outlive a fork.
    with ProcessPoolExecutor(READERS, multiprocessing.get_context("spawn")) as processes:
        readers = [processes.submit(read, home, size, until, seed) for seed in range(READERS)]
        did = writer.write(until, lambda: any(reader.done() for reader in readers))
        failures = [error for reader in readers if (error := reader.exception()) is not None]
    print("writer: " + ", ".join(f"{count} {what}" for what, count in did.items()))
    for error in failures:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    if failures:
        return 1
    report([reader.result() for reader in readers])
    return 0


def report(readers: Sequence[Counter[str]]) -> None:
    for place, counts in enumerate(readers, 1):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"reader {place}: {counts.total()} searches: {kinds}")
    print(f"{sum(counts.total() for counts in readers)} searches by {len(readers)} readers without an error")


if __name__ == "__main__":
    sys.exit(main())
