"""stress daemon: a daemon whose sources change and fail by chance, whose clock is set, and that is killed.

In the end the index equals what is made afresh, no deletion was invented, and memory and open files are flat. Then:
sources that hang for ever delay no other's changes, and a checkout of very many files loses nothing, also when the
system's queue of events overflows.
"""

import argparse
import math
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import kb
from indexer.creation import create
from indexer.writer import Writer
from scripts.stresses.parts.checkout import Tree
from scripts.stresses.parts.faulty import CLOCK_STEP_S, plug
from scripts.stresses.parts.mixed import CALM, Mixed, equals_the_folders, no_deletion_invented
from scripts.stresses.parts.paragraphs import paragraphs
from scripts.stresses.parts.told import must, outcome
from scripts.stresses.parts.up import STOPS_WITHIN_S, Up, up

NAMES: Final = ("far", "near", "wide", CALM)
TOKEN: Final = "tk-9f3a77-that-nobody-may-see"
FLAT_MB: Final = 60
FLAT_FILES: Final = 24
SAMPLES: Final = 10
WARM_S: Final = 30.0
"""What is held is compared from then on: before, models and pools are still being loaded."""
DELAY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Form:
    seconds: float
    kills: int
    saves: int
    files: int
    seed: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress daemon", description="A daemon among changes, faults and kills.")
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="of change and faults, 600 by default")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="in the first third, 20 by default")
    parser.add_argument("--saves", type=int, default=40, metavar="N", help="beside sources that hang, 40 by default")
    parser.add_argument("--files", type=int, default=5_000, metavar="N", help="of the checkout, 5,000 by default")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choices; moments vary")
    form = Form(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        plugged = Path(directory) / "plugged"
        plug(plugged)
        sys.path.insert(0, str(plugged))
        stack.callback(sys.path.remove, str(plugged))
        return outcome("daemon", lambda: run(Path(directory), form))


def run(directory: Path, form: Form) -> None:
    mixed_up(directory / "mixed", form)
    hanging(directory / "hanging", form)
    checkout(directory / "checkout", form)


# Change and faults


def home_of(directory: Path, names: Sequence[str], kind: str = "faulty", every: str = "2s") -> Path:
    home = create(directory / "home", "hashing:64")[0].path
    add(home, directory, names, kind, every)
    return home


def add(home: Path, directory: Path, names: Sequence[str], kind: str, every: str = "2s") -> None:
    writer = Writer(home)
    for name in names:
        options = {"path": str(directory / name)} | ({"token": "${TOKEN}"} if kind == "faulty" else {})
        # Renames of all beside edits of most would trip a guard, and hold back all that comes after.
        writer.add_source(name, kind, options, every=every, delete_guard="1")
    writer.catalog.close()


def environment(directory: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(directory / "plugged"), "TOKEN": TOKEN}


def mixed_up(directory: Path, form: Form) -> None:
    directory.mkdir()
    mixed = Mixed(directory, NAMES, paragraphs(), form.seed)
    home = home_of(directory, NAMES)
    around = environment(directory.parent)
    began, said = time.monotonic(), list[str]()
    for _ in range(form.kills):
        with up(home, **around) as daemon:
            drive(mixed, form.seconds / 3 / form.kills)
            said.append(daemon.told.getvalue())
            daemon.stop(signal.SIGKILL)
    # What sets the clock must not be met while it starts, since it could not tell of that.
    mixed.mend()
    with up(home, **around) as daemon:
        flat(mixed, daemon, form.seconds * 2 / 3)
        settle(mixed, daemon, home, around)
        metrics = daemon.get("/metrics").text
        code, took_s = daemon.stop()
        said += [daemon.told.getvalue(), metrics]
    must((code, took_s < STOPS_WITHIN_S) == (0, True), f"SIGTERM ended it with {code} after {took_s:.1f} s")
    must(not any(TOKEN in words for words in said), "the token stands in the log or the metrics")
    check(directory, home, mixed)
    faults = ", ".join(f"{count} {fault}" for fault, count in mixed.faults.items())
    print(f"{time.monotonic() - began:.0f} s, {mixed.changes} changes, {form.kills} kills; faults: {faults}")


def drive(mixed: Mixed, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        mixed.step(longest_s=3)
        time.sleep(0.1)


def flat(mixed: Mixed, daemon: Up, seconds: float) -> None:
    """What it holds in the middle and at the end, at least: while upkeep works there is more."""
    daemon.await_ready()
    set_clock_back(mixed, daemon)
    drive(mixed, seconds / 3)
    before = least(mixed, daemon, seconds / 4)
    drive(mixed, seconds / 6)
    after = least(mixed, daemon, seconds / 4)
    print(f"memory {before[0]} MB, then {after[0]} MB; open files {before[1]}, then {after[1]}", flush=True)
    if seconds / 3 < WARM_S:
        return
    must(after[0] - before[0] < FLAT_MB, f"memory grows: {before[0]} MB, then {after[0]} MB")
    must(after[1] - before[1] < FLAT_FILES, f"open files grow: {before[1]}, then {after[1]}")


def least(mixed: Mixed, daemon: Up, seconds: float) -> tuple[int, int]:
    """Megabytes of memory, and open files; the least of either meanwhile."""
    samples = []
    for _ in range(SAMPLES):
        drive(mixed, seconds / SAMPLES)
        samples.append(held(daemon))
    memory, files = zip(*samples, strict=True)
    return min(memory), min(files)


def held(daemon: Up) -> tuple[int, int]:
    """The same, at this moment."""
    process = Path("/proc") / str(daemon.process.pid)
    (resident,) = (line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) // 1024, len(list((process / "fd").iterdir()))


def set_clock_back(mixed: Mixed, daemon: Up) -> None:
    mixed.places[0].fail("clock", until=math.inf)
    stepped = daemon.told.await_line("clock stepped")
    must(abs(stepped["seconds"] + CLOCK_STEP_S) < 60, f"the clock was set back, and it says {stepped}")


def settle(mixed: Mixed, daemon: Up, home: Path, around: dict[str, str]) -> None:
    """All is well again, and taken in: by order, since a guard may have tripped."""
    mixed.mend()
    code, words = daemon.order(home, "sync", "--allow-deletes", **around)
    must(code in (0, 6), f"the last sync ended with {code}: {words}")
    must("handed to the daemon" in words, f"the last sync was not handed over: {words}")


def check(directory: Path, home: Path, mixed: Mixed) -> None:
    with kb.open(home) as base:
        equals_the_folders(base, mixed.places)
        findings = base.verify().findings
        must(not findings, f"verify finds {findings}")
        head = base.log(1)[0]
    removed = no_deletion_invented(home, mixed)
    fresh = create(directory / "fresh", "hashing:64")[0].path
    add(fresh, directory, NAMES, "folder")
    Writer(fresh).sync()
    with kb.open(fresh) as base:
        other = base.log(1)[0]
    same = (head.content_digest, head.documents.total) == (other.content_digest, other.documents.total)
    must(same, f"the head is not what a fresh build holds: {head.content_digest} {other.content_digest}")
    clear = [file.name for file in home.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    must(not clear, f"the token stands in {', '.join(clear)}")
    print(f"{head.version} versions; {removed} documents removed, all of them gone; equals a fresh build", flush=True)


# Sources that hang


def hanging(directory: Path, form: Form) -> None:
    """The delay of a save, first alone and then beside sources that never answer."""
    (directory / "quick").mkdir(parents=True)
    home = home_of(directory, ["quick"], "folder")
    around = environment(directory.parent)
    with up(home, **around) as daemon:
        daemon.await_ready()
        alone = delays(daemon, directory / "quick", form.saves)
        stuck = [f"stuck-{number}" for number in range(5)]
        for name in stuck:
            (directory / name).mkdir()
            (directory / f"{name}.fault").write_text("hang")
        add(home, directory, stuck, "faulty")
        beside = delays(daemon, directory / "quick", form.saves)
        code, took_s = daemon.stop()
    must((code, took_s < STOPS_WITHIN_S) == (0, True), f"SIGTERM ended it with {code} after {took_s:.1f} s")
    for words, found in (("alone", alone), ("beside 5 that hang", beside)):
        print(f"a save {words}: median {median(found):.2f} s, longest {max(found):.2f} s", flush=True)
    must(median(beside) - median(alone) < DELAY_S, "sources that hang delay another's changes")


def delays(daemon: Up, folder: Path, saves: int) -> list[float]:
    found = []
    for number in range(saves):
        began = time.monotonic()
        (folder / "note.md").write_text(f"# Note\n\nsaved at {time.time_ns()}, number {number}")
        daemon.told.await_line("published", source="quick")
        found.append(time.monotonic() - began)
    return found


# Very many at once


def checkout(directory: Path, form: Form) -> None:
    directory.mkdir()
    tree = Tree(directory / "tree", form.files)
    # By its schedule alone it would be found after an hour.
    home = home_of(directory, ["tree"], "folder", every="1h")
    with up(home, **environment(directory.parent)) as daemon:
        daemon.await_ready()
        await_texts(home, tree, "main")
        for words, branches, stopped in (("a checkout", ["other"], False), ("an overflow", ["main", "other"], True)):
            began = time.monotonic()
            if stopped:
                # What happens meanwhile fills the system's queue, and then is lost.
                daemon.process.send_signal(signal.SIGSTOP)
            for branch in [*branches, *(["main", "other", "main"] if stopped else [])]:
                tree.checkout(branch)
            if stopped:
                daemon.process.send_signal(signal.SIGCONT)
            await_texts(home, tree, tree.branch)
            print(f"{words} of {form.files} files: all taken in after {time.monotonic() - began:.1f} s", flush=True)
        must(daemon.stop()[0] == 0, "SIGTERM did not end it")
    with kb.open(home) as base:
        must(not base.verify().findings, "verify finds something after the checkouts")


def await_texts(home: Path, tree: Tree, branch: str, patience_s: float = 300) -> None:
    deadline = time.monotonic() + patience_s
    with kb.open(home) as base:
        while base.log(1) == [] or {one.uri: one.content_sha256 for one in base.documents()} != tree.digests[branch]:
            must(time.monotonic() < deadline, f"{branch} is not taken in after {patience_s} s")
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
