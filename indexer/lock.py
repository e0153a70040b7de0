"""The writer's lock: one writer at a time, held by the operating system so that it outlives no process."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kb.clock import format_instant, now
from kb.errors import Locked


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Holds the lock for the block. Raises Locked at once, naming the holder, where another process has it."""
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(f"another writer holds {path}: {_holder(file)}; wait for it, or end it") from None
        _sign(file)
        yield
        # The file stays: removing it would let two processes lock two files of one name.
        file.truncate(0)


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": format_instant(now())}, file)
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read())
    except json.JSONDecodeError:
        return "a process that has just begun"
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
