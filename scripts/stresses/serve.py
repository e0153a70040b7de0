"""stress serve: a hundred clients of a server while an indexer publishes; then kills of servers and of daemons.

The clients are `kb.connect_async` with keys, some of them of callers who may not see everything; what they ask is hot
and rare, of old versions, with filters, exact. No client may see an error (a 503 is asked again and counted), each
reply must be what the version that it names holds, exact ones what the library answers, and the server's memory must
be flat. Then servers and daemons are killed in the middle of requests: what was answered is in the request log, whose
rows are whole, and what was published is there.
"""

import argparse
import multiprocessing
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

import kb
from scripts.stresses.parts.crowd import Heard, Reply, crowd
from scripts.stresses.parts.log_lines import PATIENCE_S
from scripts.stresses.parts.replies import as_the_library, consistent, logged
from scripts.stresses.parts.served import STOPS_WITHIN_S, Served, free_port, served
from scripts.stresses.parts.shelves import Shelves, publishing, texts_of
from scripts.stresses.parts.told import must, outcome
from scripts.stresses.parts.up import up

FLAT_MB: Final = 60
WARM_S: Final = 30.0
"""Half of a run must be longer for its memory to tell anything: models, pools and caches are filled at first."""


@dataclass(frozen=True, slots=True)
class Form:
    """`documents` are of each of three sources, `pause` is in seconds, between two commits."""

    seconds: float
    clients: int
    documents: int
    pause: float
    kills: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress serve", description="Many clients of a server; kills of it.")
    parser.add_argument("--seconds", type=float, default=120, metavar="N", help="of the clients, 120 by default")
    parser.add_argument("--clients", type=int, default=100, metavar="N", help="at once, 100 by default")
    parser.add_argument("--documents", type=int, default=100, metavar="N", help="of each of 3 sources, 100 by default")
    parser.add_argument("--pause", type=float, default=0.5, metavar="S", help="between commits, 0.5 s by default")
    parser.add_argument("--kills", type=int, default=6, metavar="N", help="of servers and of daemons, 6 by default")
    form = Form(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as directory:
        return outcome("serve", lambda: run(Path(directory), form))


def run(directory: Path, form: Form) -> None:
    many(directory / "many", form)
    servers_killed(directory / "servers", form)
    daemons_killed(directory / "daemons", form)


# Many clients


def many(directory: Path, form: Form) -> None:
    shelves = Shelves(directory, form.documents)
    shelves.sync()
    with served(shelves.home) as server, publishing(shelves, form.seconds, form.pause):
        server.await_ready()
        with asking(server.url, shelves, form.clients, form.seconds) as heard:
            before, after = held(server, form.seconds)
        told = heard.result()
        began = time.monotonic()
        code = server.stop()
        took_s = time.monotonic() - began
    must((code, took_s < STOPS_WITHIN_S) == (0, True), f"SIGTERM ended it with {code} after {took_s:.1f} s")
    tell(told, form.seconds)
    print(f"memory of the server {before:.0f} MB after a half, {after:.0f} MB at the end", flush=True)
    must(not told.errors, f"errors: {dict(told.errors.most_common(5))}")
    must(form.seconds / 2 < WARM_S or after - before < FLAT_MB, f"memory grows: {before:.0f} MB, then {after:.0f} MB")
    consistent(told.replies, shelves.texts)
    lines = logged(shelves.home, told.replies)
    with kb.open(shelves.home) as base:
        exact = as_the_library(base, told.replies)
        (head,) = base.log(1)
        must(not base.verify().findings, "verify finds something")
    print(
        f"{head.version} versions; {exact} exact answers are the library's; {lines} lines of the request log are whole"
    )


@contextmanager
def asking(url: str, shelves: Shelves, clients: int, seconds: float, may_go: bool = False) -> Iterator[Future[Heard]]:
    """A process of so many clients, which ends by itself."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        yield processes.submit(crowd, url, shelves.tokens, clients, seconds, may_go)


def held(server: Served, seconds: float) -> tuple[float, float]:
    """Megabytes after a half of the time, and shortly before its end: each the median of a few looks."""
    found = []
    for share in (0.5, 0.4):
        time.sleep(seconds * share)
        looks = []
        for _ in range(5):
            looks.append(server.held_mb())
            time.sleep(seconds / 200)
        found.append(float(np.median(looks)))
    return found[0], found[1]


def tell(heard: Heard, seconds: float) -> None:
    took = [reply.took_ms for reply in heard.replies]
    must(bool(took), f"nobody was answered: {dict(heard.errors)}")
    p50, p99 = np.percentile(took, 50), np.percentile(took, 99)
    print(
        f"{len(took)} replies, {len(took) / seconds:.0f} a second; p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"longest {max(took):.0f} ms; {heard.again} asked again, {sum(heard.errors.values())} errors",
        flush=True,
    )


# Kills

CROWD: Final = 12
LIVES_S: Final = (1.0, 3.0)
"""How long a process that is to be killed answers first."""


def servers_killed(directory: Path, form: Form) -> None:
    """The indexer goes on publishing meanwhile."""
    shelves, port, chance = Shelves(directory, 12), free_port(), random.Random(3)
    shelves.sync()
    replies: list[Reply] = []
    for _ in range(form.kills):
        lives_s = chance.uniform(*LIVES_S)
        with served(shelves.home, port) as server, publishing(shelves, lives_s, 0.1):
            server.await_ready()
            with asking(server.url, shelves, CROWD, lives_s + 1, may_go=True) as heard:
                _await_requests(shelves.home)
                time.sleep(lives_s)
                server.stop(signal.SIGKILL)
            replies += heard.result().replies
            must(not heard.result().errors, f"errors: {dict(heard.result().errors.most_common(5))}")
    consistent(replies, shelves.texts)
    _whole(f"{form.kills} kills of a server", shelves, replies, _versions(shelves.truths))


def daemons_killed(directory: Path, form: Form) -> None:
    """The daemon publishes itself; each version that it has told of must be there."""
    shelves, port, chance = Shelves(directory, 12, every="1s"), free_port(), random.Random(4)
    replies, published = list[Reply](), set[int]()
    for _ in range(form.kills):
        lives_s = chance.uniform(*LIVES_S)
        with up(shelves.home, "--port", str(port)) as daemon:
            daemon.await_ready()
            url = f"http://127.0.0.1:{port}"
            with asking(url, shelves, CROWD, lives_s + 4, may_go=True) as heard, _changing(shelves):
                _await_requests(shelves.home)
                time.sleep(lives_s)
                daemon.stop(signal.SIGKILL)
            published |= {line["version"] for line in daemon.told.events("published")}
        replies += heard.result().replies
        must(not heard.result().errors, f"errors: {dict(heard.result().errors.most_common(5))}")
    with kb.open(shelves.home) as base:
        consistent(replies, cache(lambda version: texts_of(base, version)))
    _whole(f"{form.kills} kills of a daemon", shelves, replies, published)


def _await_requests(home: Path) -> None:
    """Until the clients are at it: they take a moment to start."""
    from sqlalchemy import text

    with kb.open(home) as base:
        deadline, before = time.monotonic() + PATIENCE_S, -1
        while time.monotonic() < deadline:
            with base.catalog.reading() as connection:
                count = connection.execute(text("SELECT count(*) FROM request")).scalar_one()
            if 0 <= before < count:
                return
            before = count
            time.sleep(0.05)


@contextmanager
def _changing(shelves: Shelves) -> Iterator[None]:
    ended = threading.Event()

    def change() -> None:
        chance = random.Random(5)
        while not ended.wait(0.2):
            shelves.folders[chance.choice(sorted(shelves.folders))].change()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _versions(truths: Path) -> set[int]:
    return {int(path.stem) for path in truths.iterdir()}


def _whole(what: str, shelves: Shelves, replies: Sequence[Reply], published: set[int]) -> None:
    lines = logged(shelves.home, replies)
    with kb.open(shelves.home) as base:
        found = {snapshot.version for snapshot in base.log(None)}
        must(published <= found, f"versions that were published are lost: {sorted(published - found)}")
        must(found == set(range(1, len(found) + 1)), f"versions are missing: {sorted(found)}")
        must(not base.verify().findings, f"{what}: verify finds something")
    print(f"{what}: {len(replies)} replies, {lines} lines of the log are whole, {len(found)} versions", flush=True)


if __name__ == "__main__":
    sys.exit(main())
