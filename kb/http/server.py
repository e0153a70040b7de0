"""A server in threads of its own, on a TCP address and, for the machine's own user, on a socket in the file system."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from kb.errors import UsageError
from kb.http.limits import LIMITS, Limits


class Server:
    """Serves from `start` to `stop`."""

    def __init__(self, app: Any, host: str, port: int, path: Path | None = None, limits: Limits = LIMITS) -> None:
        """Binds at once; port 0 is any that is free. Raises UsageError where the address cannot be had."""
        import uvicorn

        from kb.http.connection import connection

        self._drain_s = limits.drain_s
        self._path = path
        self._sockets = [_listen(host, port), *([_listen_at(path)] if path else [])]
        config = uvicorn.Config(
            app,
            http=connection(limits.headers_s),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=limits.drain_s,
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), name="kb-http", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets requests that are under way come to their end."""
        self._server.should_exit = True
        self._thread.join(self._drain_s + 1)
        for one in self._sockets:
            one.close()
        if self._path is not None:
            with suppress(FileNotFoundError):
                self._path.unlink()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(2048)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; name another with --host and --port"
        ) from error
    return found


def _listen_at(path: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        path.unlink()
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.bind(str(path))
    # Whoever may use the home may use the socket, and nobody else.
    path.chmod(0o600)
    found.listen(128)
    return found
