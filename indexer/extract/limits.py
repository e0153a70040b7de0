"""What a worker process may use: memory above its baseline, and its parent's lifetime."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1
_allowance_bytes: int | None = None


def limit_memory(allowance_bytes: int) -> None:
    """Lets this process map so much memory on top of what it has mapped now; beyond that, MemoryError."""
    global _allowance_bytes
    _allowance_bytes = allowance_bytes
    _rebase()


@contextmanager
def unlimited() -> Iterator[None]:
    """Lifts the limit while libraries are imported: what they map is baseline, not the document's doing."""
    if _allowance_bytes is None:
        yield
        return
    _limit_to(None)
    try:
        yield
    finally:
        _rebase()


def lift_memory() -> None:
    """No limit until memory is rebased again."""
    if _allowance_bytes is not None:
        _limit_to(None)


def rebase_memory() -> None:
    """Counts what earlier documents left mapped as baseline. Nothing where no limit was set."""
    if _allowance_bytes is not None:
        _rebase()


def _rebase() -> None:
    mapped = _mapped_bytes()
    if mapped is not None and _allowance_bytes is not None:
        _limit_to(mapped + _allowance_bytes)


def _limit_to(limit_bytes: int | None) -> None:
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = most if limit_bytes is None else limit_bytes
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most) if wanted != resource.RLIM_INFINITY else most
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def _mapped_bytes() -> int | None:
    """None where the system does not tell (only Linux does, and only Linux keeps RLIMIT_AS)."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def die_with_parent() -> None:
    """Ends this process when its parent ends, however that dies."""
    if sys.platform == "linux":
        # The kernel's own way, which no stuck parser can hold up.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True, name="parent-watch").start()


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
