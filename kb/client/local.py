"""What the daemon on this machine answers, asked by the standard library alone: a command must not wait for imports."""

import socket
from http.client import HTTPConnection, HTTPException
from typing import Final

from kb.client.call import Call, Told
from kb.client.reply import read
from kb.daemon import find
from kb.errors import KBError
from kb.home import Home

_TIMEOUT_S: Final = 60.0


class _Connection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(home: Home, call: Call[Told]) -> Told | None:
    """The daemon's answer; None where there is none, or one that refuses or does not understand: do it without."""
    endpoint = find(home)
    if endpoint is None:
        return None
    try:
        status, content = _exchange(endpoint.path, call)
        return read(call, status, content)
    except (OSError, HTTPException, KBError):
        return None


def _exchange(path: str, call: Call[Told]) -> tuple[int, bytes]:
    connection = _Connection(path)
    try:
        connection.request(call.method, call.target, call.body, {"Content-Type": "application/json"})
        found = connection.getresponse()
        return found.status, found.read()
    finally:
        connection.close()
