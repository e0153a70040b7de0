"""A process that runs for days: what its threads needed and freed is given back.

glibc has eight arenas for each core, hands them out to threads by turns and keeps what each of them once needed: a
daemon of many short threads grew by some 2 MB a snapshot, which is flat with an arena for each core. Other systems'
libraries have neither of the two functions, and are left alone. Arrow's own allocator keeps as much for each thread,
160 MB after two minutes of a publish each fifth of a second: Arrow takes the system's instead.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Final

_M_ARENA_MAX: Final = -8
"""glibc's, in malloc.h."""
_ARROWS: Final = "ARROW_DEFAULT_MEMORY_POOL"
"""Arrow looks at it once, when it is loaded."""
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def bound() -> None:
    """Before the process has begun threads, whose arenas stay theirs, and before Arrow is loaded."""
    os.environ.setdefault(_ARROWS, "system")
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_ARENA_MAX, max(2, os.cpu_count() or 1))


def give_back() -> None:
    """What is free returns to the system; some milliseconds."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def held_at_most() -> int:
    """Bytes that the machine has, or that its container may have (by Linux's control groups) where that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text().strip() for path in _LIMITS if path.is_file()]
    return min([machine, *(int(limit) for limit in limits if limit.isdigit())])
