"""stress disk: a disk that fills up and a home that turns read-only, in the middle of a sync, at each of its steps.

Each time: the sync ends with exit code 1 and one line that names the home and the remedy, the old head answers the same
all the while, and the next sync completes once there is room again. Needs the right to mount a small file system.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import kb
from indexer.writer import Writer
from scripts.stresses.parts.disturbed import can_obey, launch, reopen, start
from scripts.stresses.parts.folder import Folder, home_of
from scripts.stresses.parts.here import Here
from scripts.stresses.parts.moments import SYNC, Moment
from scripts.stresses.parts.paragraphs import paragraphs
from scripts.stresses.parts.told import must, otherwise, outcome, told
from scripts.stresses.parts.volume import CannotMount, Volume, mounted

LEAVES: Final = (0, 24 * 1024, 96 * 1024)
"""Bytes of room that are left: nothing at all, too little for the catalog, too little for the rows."""
STEADY: Final = 16
"""Syncs that find so many times 16 KiB of room from their start on."""
SKIPPED: Final = 3
"""Exit code where nothing can be mounted."""
QUERY: Final = "the rows that a version of the table holds"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done to a sync, and when; without a moment before it begins."""

    what: str
    moment: Moment | None
    leave: int = 0

    def __str__(self) -> str:
        left = f", {self.leave:,} bytes left" if self.what == "fill" else ""
        return f"{self.what} at {self.moment or 'the start'}{left}"


TRIALS: Final = (
    *(Trial("fill", moment, leave) for moment in SYNC for leave in LEAVES),
    *(Trial("close", moment) for moment in SYNC),
    *(Trial("fill", None, number * 16 * 1024) for number in range(STEADY)),
    Trial("read-only", None),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress disk", description="Full and read-only disks.")
    parser.add_argument("--trials", type=int, default=len(TRIALS), metavar="N", help="how many of them, all by default")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which, where not all")
    parser.add_argument(
        "--only", action="append", metavar="WORDS", help="those named so, as in `read-only`; repeatable"
    )
    asked = parser.parse_args()
    named = [trial for trial in TRIALS if asked.only is None or any(words in str(trial) for words in asked.only)]
    if not named:
        parser.error(f"no trial is named so; there are {', '.join(map(str, TRIALS))}")
    trials = random.Random(asked.seed).sample(named, min(asked.trials, len(named)))
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        try:
            volume = stack.enter_context(mounted(Path(directory) / "volume", size_mb=64))
        except CannotMount as error:
            parser.exit(SKIPPED, f"stress disk: skipped, nothing can be mounted: {error}\n")
        return outcome("disk", lambda: run(Path(directory), volume, trials))


def run(directory: Path, volume: Volume, trials: list[Trial]) -> None:
    folder = Folder(directory / "docs", paragraphs(), seed=0)
    home = home_of(volume.path / "home", folder)
    sync(home)
    ended = Counter[str]()
    for trial in trials:
        if trial.what == "close" and not can_obey():
            ended["skipped: no process can be had to which permissions apply"] += 1
            continue
        folder.change()
        print(trial, file=sys.stderr, flush=True)
        ended[attempt(home, volume, trial)] += 1
        recovered(home, folder)
    print(f"{len(trials)} trials: " + ", ".join(f"{count} {how}" for how, count in sorted(ended.items())))


def attempt(home: Path, volume: Volume, trial: Trial) -> str:
    """Has a sync disturbed while the head goes on answering; returns how it ended."""
    with kb.open(home) as base:
        version = base.log(1)[0].version
        before = told(base, version, QUERY)

    def serves() -> None:
        with kb.open(home) as base:
            other = otherwise(before, told(base, version, QUERY))
            must(not other, f"{trial}: version {version} answers otherwise: {', '.join(other)}")

    try:
        if trial.what == "read-only":
            with volume.read_only():
                return watched(home, trial, serves)
        if trial.what == "fill" and trial.moment is None:
            volume.fill(trial.leave)
        return watched(home, trial, serves)
    finally:
        if trial.what == "close":
            reopen(home)
        volume.drain()


def watched(home: Path, trial: Trial, serves: Callable[[], None]) -> str:
    if trial.moment is None:
        process = launch([str(Path(sys.executable).with_name("kb")), "--home", str(home), "sync"])
    else:
        process = start(home, trial.moment, trial.what, str(trial.leave if trial.what == "fill" else home))
    while process.poll() is None:
        serves()
    serves()
    return judged(trial, home, process)


def judged(trial: Trial, home: Path, process: "subprocess.Popen[str]") -> str:
    out, error = process.communicate()
    if process.returncode == 0:
        must(not error, f"{trial}: done, but said {error!r}")
        return "had room enough"
    line = error.startswith("kb: ") and error.count("\n") == 1 and str(home) in error
    remedy = "make room" in error if trial.what == "fill" else "make it writable" in error
    must((process.returncode, out) == (1, ""), f"{trial}: exit code {process.returncode}, {out!r}, {error!r}")
    must(line and remedy, f"{trial}: no line with the home and the remedy: {error!r}")
    return "refused by a full disk" if trial.what == "fill" else "refused by a read-only home"


def recovered(home: Path, folder: Folder) -> None:
    """The next sync completes what was left undone, and everything holds."""
    sync(home)
    with kb.open(home) as base:
        head = base.log(1)[0].version
        must(told(base, head, QUERY)["texts"] == folder.texts, f"version {head} is not what lies in the folder")
        findings = base.verify().findings
        must(not findings, f"verify finds {findings}")


def sync(home: Path) -> None:
    writer = Writer(home, pool=Here())
    writer.sync()
    # What is open for writing cannot be made read-only.
    writer.catalog.close()


if __name__ == "__main__":
    sys.exit(main())
