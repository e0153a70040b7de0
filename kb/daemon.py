"""How other processes find the daemon of a home: a note in the home says at which socket it listens."""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kb.home import Home

_NOTE: Final = "daemon.json"
_SOCKET: Final = "daemon.sock"
_ANSWERS_WITHIN_S: Final = 3.0
_LONGEST: Final = 100
"""Bytes that the path of a socket may have, on any system."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a daemon listens: for the machine's own user a socket in the file system, for others a URL."""

    pid: int
    path: str
    url: str


@contextmanager
def socket_place(home: Home) -> Iterator[Path]:
    """In the home where its path is short enough, else in a directory that is the user's own and goes afterwards."""
    path = home.path / _SOCKET
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="kb-") as directory:
        yield Path(directory) / _SOCKET


@contextmanager
def announced(home: Home, endpoint: Endpoint) -> Iterator[None]:
    """The note stands during the block."""
    note = home.path / _NOTE
    written = note.with_suffix(".tmp")
    written.write_text(json.dumps(asdict(endpoint)), "utf-8")
    written.replace(note)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            note.unlink()


def find(home: Home) -> Endpoint | None:
    """The daemon that answers; a note that one left behind is nothing, nor is a daemon that hangs."""
    try:
        endpoint = Endpoint(**json.loads((home.path / _NOTE).read_text("utf-8")))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.settimeout(_ANSWERS_WITHIN_S)
            trial.connect(endpoint.path)
            trial.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
            return endpoint if trial.recv(1) else None
    except (OSError, ValueError, TypeError):
        return None
