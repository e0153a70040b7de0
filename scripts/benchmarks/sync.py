"""bench sync: Python's PEPs at the tip from nothing, the next 50 commits, and syncs that find nothing to do.

Embedding is timed apart: it is the real model's cost, the rest is ours. A no-op sync stands beside `git status` on the
same tree, both as whole processes.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from indexer.creation import create
from indexer.outcome import SyncReport
from indexer.progress import Event
from indexer.writer import Writer
from kb.catalog import runs

BUNDLE = Path(__file__).parents[3] / "shared" / "data" / "peps.bundle"
KB = Path(__file__).parents[2] / ".venv" / "bin" / "kb"


@dataclass(slots=True)
class Stopwatch:
    """Seconds by step: each event says which step begins."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    step: str = "poll"
    began: float = field(default_factory=time.perf_counter)

    def __call__(self, event: Event) -> None:
        now = time.perf_counter()
        self.spent[self.step] += now - self.began
        self.step, self.began = event.step, now


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(directory), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def sync(home: Path) -> tuple[SyncReport, float, float, Stopwatch]:
    """One sync: its report, seconds in all, seconds of embedding, seconds by step."""
    watch = Stopwatch()
    writer = Writer(home, watch)
    began = time.perf_counter()
    report = writer.sync()
    seconds = time.perf_counter() - began
    watch(Event("done", ""))
    with writer.catalog.reading() as connection:
        run = runs.last(connection, "peps")
    assert run is not None
    return report, seconds, run.embed_seconds, watch


def from_nothing(work: Path, include: str, back: int) -> tuple[Path, Path]:
    """Indexes the tree as it was `back` commits before the tip, and prints what that took."""
    clone, home = work / "peps", work / "home"
    subprocess.run(["git", "clone", "-q", "-b", "main", str(BUNDLE), str(clone)], check=True)
    tip = git(clone, "rev-parse", "HEAD")
    git(clone, "reset", "-q", "--hard", f"HEAD~{back}")
    create(home)
    start = git(clone, "rev-parse", "HEAD")
    options = {"url": str(clone), "history": f"since:{start}", "include": include}
    Writer(home).add_source("peps", "git", options, base=work)
    report, seconds, embedding, _ = sync(home)
    total = report.snapshots[-1].chunks
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    documents = report.snapshots[-1].documents.total
    print(f"from nothing: {documents} documents, {total.total} chunks, {total.embedded} embedded", flush=True)
    print(f"  {seconds:.1f} s in all, {embedding:.1f} s of it embedding: {total.embedded / embedding:.1f} chunks/s")
    print(f"  {seconds - embedding:.1f} s for all else; peak memory {peak:.0f} MiB, model included", flush=True)
    git(clone, "reset", "-q", "--hard", tip)
    return clone, home


def next_commits(home: Path, back: int) -> None:
    report, seconds, embedding, watch = sync(home)
    made = sum(snapshot.chunks.embedded for snapshot in report.snapshots)
    count = len(report.snapshots)
    print(f"the next {back} commits: {count} snapshots, {made} chunks embedded")
    print(f"  {(seconds - embedding) / count * 1000:.0f} ms a commit without embedding, {embedding:.1f} s embedding")
    shares = {step: spent / count * 1000 for step, spent in watch.spent.items() if step != "embed"}
    print("  ms a commit by step: " + ", ".join(f"{step} {spent:.0f}" for step, spent in shares.items()))


def seconds_of(command: list[str], directory: Path, times: int = 5) -> float:
    """Median wall time of a whole process."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return median(taken)


def nothing_to_do(work: Path, clone: Path, home: Path, files: int) -> None:
    status = seconds_of(["git", "status"], clone)
    noop = seconds_of([str(KB), "--home", str(home), "sync"], clone)
    print(f"no-op sync of the git source: {noop:.2f} s; `git status` {status:.3f} s; `kb --version` beside:", end=" ")
    print(f"{seconds_of([str(KB), '--version'], clone):.2f} s")
    folder, small = work / "small", work / "small-home"
    for number in range(files):
        path = folder / f"{number % 100:02}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {number}. It says that item {number} is in drawer {number % 37}.\n")
    create(small, "hashing:64")
    Writer(small).add_source("small", "folder", {"path": str(folder)})
    first = seconds_of([str(KB), "--home", str(small), "sync"], work, 1)
    # The second sync reads once more what was modified just before the first.
    seconds_of([str(KB), "--home", str(small), "sync"], work, 1)
    noop = seconds_of([str(KB), "--home", str(small), "sync"], work)
    print(f"{files} small files: first sync {first:.1f} s (no model), no-op {noop:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a part of the PEPs, 50 commits, 3,000 small files")
    quick = parser.parse_args().quick
    include, back, files = ("peps/pep-07[01]*.rst", 50, 3_000) if quick else ("*.rst", 50, 10_000)
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        clone, home = from_nothing(work, include, back)
        next_commits(home, back)
        nothing_to_do(work, clone, home, files)


if __name__ == "__main__":
    main()
