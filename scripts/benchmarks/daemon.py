"""bench daemon: from a save to a hit, scans beside `find` and `git status`, and what an idle daemon costs.

Freshness is with the real model: a small file in a folder is saved, and a search for a word that only this save holds
is tried whenever there is a new version. The rest embeds with hashes.
"""

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

import kb
from connectors.folder import FolderConnector, FolderOptions
from indexer.creation import create
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.home import DEFAULT_MODEL
from scripts.stresses.parts.paragraphs import paragraphs
from scripts.stresses.parts.up import Up, up

TICKS: Final = os.sysconf("SC_CLK_TCK")
PATIENCE_S: Final = 60.0
FOLDERS: Final = 500


@dataclass(frozen=True, slots=True)
class Form:
    saves: int
    documents: int
    """That lie beside the file that is saved."""
    scans: tuple[int, ...]
    idle_s: float


FULL: Final = Form(saves=1_000, documents=200, scans=(10_000, 100_000), idle_s=60)
QUICK: Final = Form(saves=40, documents=30, scans=(3_000,), idle_s=10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench daemon", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 saves, 3,000 files")
    parser.add_argument("--saves", type=int, metavar="N", help="1,000 by default")
    asked = parser.parse_args()
    form = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory() as directory:
        freshness(Path(directory) / "fresh", form, asked.saves or form.saves)
        for files in form.scans:
            scans(Path(directory) / str(files), files, form.idle_s)


def home_of(directory: Path, model: str) -> Path:
    home = create(directory / "home", model)[0].path
    writer = Writer(home)
    writer.add_source("docs", "folder", {"path": str(directory / "docs")})
    writer.sync()
    writer.catalog.close()
    return home


# From a save to a hit


def freshness(directory: Path, form: Form, saves: int) -> None:
    chance, texts = random.Random(0), paragraphs()
    (directory / "docs").mkdir(parents=True)
    for number in range(form.documents):
        (directory / "docs" / f"{number}.md").write_text("\n\n".join(chance.sample(texts, 3)))
    home = home_of(directory, DEFAULT_MODEL)
    began = time.perf_counter()
    with up(home) as daemon, closing(kb.open(home)) as base:
        daemon.told.await_line("listening")
        listening_s = time.perf_counter() - began
        daemon.told.await_line("ready")
        print(f"`kb up`: listening after {listening_s:.1f} s, ready after {time.perf_counter() - began:.1f} s")
        found = np.array([saved(base, directory / "docs", number, chance, texts) for number in range(saves)]) * 1000
        memory = held(daemon, "VmHWM")
    p50, p99 = np.percentile(found, 50), np.percentile(found, 99)
    print(f"{saves} saves of a small file, embedding included:")
    print(f"  to a hit: p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {found.max():.0f} ms; peak memory {memory} MiB")


def saved(base: KnowledgeBase, folder: Path, number: int, chance: random.Random, texts: Sequence[str]) -> float:
    """Seconds until a search finds what was saved."""
    time.sleep(chance.uniform(0.1, 0.5))
    word = f"zq{number}x{chance.randrange(10**6)}"
    text = f"# Note\n\n{word} stands here.\n\n{chance.choice(texts)}"
    began = time.perf_counter()
    (folder / f"saved-{number % 20}.md").write_text(text)
    version = 0
    while time.perf_counter() - began < PATIENCE_S:
        head = base.log(1)[0].version
        if head != version:
            version = head
            hits = base.search(word, mode="bm25", k=1).hits
            if hits and word in hits[0].text:
                return time.perf_counter() - began
        time.sleep(0.004)
    raise SystemExit(f"bench daemon: save {number} is not found after {PATIENCE_S:.0f} s")


# Scans, and an idle daemon


def scans(directory: Path, files: int, idle_s: float) -> None:
    folder = directory / "docs"
    for number in range(files):
        path = folder / f"{number % FOLDERS:03}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {number} is in drawer {number % 37}.\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(folder), *words], env=environment, check=True, capture_output=True)
    began = time.perf_counter()
    home = home_of(directory, "hashing:64")
    print(f"{files:,} small files: first sync {time.perf_counter() - began:.1f} s (no model)", flush=True)
    connector = FolderConnector(FolderOptions(folder), workspace=directory)
    scan = timed(lambda: connector.poll(None))
    print(f"  scan, nothing changed {scan:.2f} s", end="")
    beside = {
        "find": ["find", str(folder), "-type", "f", "-printf", "%s %T@ %p\\n"],
        "git status": ["git", "-C", str(folder), "status"],
    }
    for name, command in beside.items():
        other = timed(lambda: subprocess.run(command, check=True, capture_output=True))  # noqa: B023
        print(f"; `{name}` {other:.2f} s, the scan takes {scan / other:.1f} times as long", end="")
    print(flush=True)
    idle(home, idle_s)


def idle(home: Path, seconds: float) -> None:
    began = time.perf_counter()
    with up(home) as daemon:
        daemon.await_ready()
        ready_s = time.perf_counter() - began
        # The order is answered by a look that begins after the first has ended.
        code, said = daemon.order(home, "sync")
        if code:
            raise SystemExit(f"bench daemon: {said}")
        look = timed(lambda: daemon.order(home, "sync"))
        # Upkeep may follow what was published.
        time.sleep(3)
        before, began = spent_s(daemon), time.perf_counter()
        time.sleep(seconds)
        share = (spent_s(daemon) - before) / (time.perf_counter() - began)
        print(f"  the daemon: ready after {ready_s:.1f} s, `kb sync` handed over {look:.2f} s, nothing changed")
        memory, peak = held(daemon, "VmRSS"), held(daemon, "VmHWM")
        print(f"  idle: {share:.2%} of a CPU; memory {memory} MiB, at most {peak} MiB", flush=True)


def timed(act: Callable[[], object]) -> float:
    """Median seconds of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[1]


def spent_s(daemon: Up) -> float:
    """CPU seconds of the daemon and of all that it started."""
    return sum(_ticks(pid) for pid in family(daemon.process.pid)) / TICKS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def family(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [pid, *(found for child in children for found in family(child))]


def held(daemon: Up, key: str) -> int:
    """MiB of the daemon's process, extraction's own apart."""
    lines = Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) // 1024


if __name__ == "__main__":
    main()
