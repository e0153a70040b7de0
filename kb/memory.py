"""A process that runs for days: the system's allocator is held to few arenas, and gives back what was freed.

glibc has eight arenas for each core, hands them out to threads by turns and keeps what each of them once needed: a
daemon of many short threads grew by some 2 MB a snapshot, which is flat with an arena for each core. Other systems'
libraries have neither of the two functions, and are left alone.
"""

import ctypes
import os
from typing import Final

_M_ARENA_MAX: Final = -8
"""glibc's, in malloc.h."""


def bound_arenas() -> None:
    """Before the process has begun threads: what they were given stays theirs."""
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
