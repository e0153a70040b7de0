"""Work on a home in a process of its own, that is killed at a moment of it, after a time, or not at all."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from indexer.lock import writer_lock
from indexer.progress import Observer, unobserved
from indexer.writer import Writer
from kb.home import open_home
from kb.retention import Policy
from kb.store import Store
from kb.store.upkeep import NONE
from scripts.stresses.parts.here import Here
from scripts.stresses.parts.moments import Moment, at

POLICY: Final = Policy(last=4)
GRACE: Final = timedelta(milliseconds=1)
"""Nobody reads meanwhile: what is no part of the newest version may go at once."""


def sync(home: Path, observe: Observer = unobserved) -> None:
    Writer(home, observe, Here()).sync(allow_deletes=True)


def retain(home: Path, observe: Observer = unobserved) -> None:
    Writer(home, observe, Here()).retain(POLICY)


def upkeep(home: Path, observe: Observer = unobserved) -> None:
    """Of the whole store at once, with nothing recovered before it."""
    with writer_lock(open_home(home).lock):
        Store(open_home(home).store).upkeep(NONE, GRACE)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(work: Callable[..., None], home: Path, kill: Moment | float | None) -> tuple[bool, float]:
    """Whether it was killed, and the seconds that it ran; a number kills it after so many seconds.

    Raises RuntimeError where it ended otherwise.
    """
    began = _context().Event()
    process = _context().Process(target=_work, args=(work, home, kill, began))
    process.start()
    began.wait()
    started = time.perf_counter()
    if isinstance(kill, float):
        process.join(kill)
        process.kill()
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{work.__name__} ended with {process.exitcode} by itself")
    return process.exitcode != 0, time.perf_counter() - started


def _work(work: Callable[..., None], home: Path, kill: Moment | float | None, began: Any) -> None:
    began.set()
    work(home, at(kill, die) if isinstance(kill, Moment) else unobserved)


@cache
def _context() -> Any:
    """Processes that start at once: they are forked from one that has imported everything."""
    # LanceDB warns of any fork after its import; this one comes before it has opened anything.
    os.environ.setdefault("PYTHONWARNINGS", "ignore::RuntimeWarning:multiprocessing.forkserver")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lancedb", "indexer.prepare", __name__])
    return context
