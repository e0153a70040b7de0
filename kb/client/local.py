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
    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
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
        status, content = exchange(endpoint.path, call.method, call.target, call.body, _TIMEOUT_S)
        return read(call, status, content)
    except (OSError, HTTPException, KBError):
        return None


def exchange(path: str, method: str, target: str, body: bytes | None, timeout_s: float | None) -> tuple[int, bytes]:
    """The status and the body of the reply at a socket. Raises OSError or HTTPException."""
    connection = _Connection(path, timeout_s)
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"})
        found = connection.getresponse()
        return found.status, found.read()
    finally:
        connection.close()
