"""S3 servers on this machine for tests: a process of its own that checks signatures, and buckets on it."""

import itertools
import os
import socket
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

from connectors.s3 import S3Connector, S3Options

KEYS = {"access_key_id": "reader", "secret_access_key": "s3cret-of-reader"}
UNSET = ("AWS_", "NANIO_")


class Server:
    """nanio in a process; a bucket is a directory beneath `place`."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.place = Path(self._directory.name)
        self._numbers = itertools.count(1)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            # What connects before the server is ready waits at the socket, so nobody has to wait for the server.
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._process = self._start(listening.fileno())

    def _start(self, listening: int) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(UNSET)}
        settings = {
            "NANIO_ACCESS_KEY": KEYS["access_key_id"],
            "NANIO_SECRET_KEY": KEYS["secret_access_key"],
            "NANIO_DATA_DIR": str(self.place),
        }
        words = ("-m", "uvicorn", "nanio.app:build_app", "--factory", "--fd", str(listening), "--log-level", "critical")
        return subprocess.Popen((sys.executable, *words), pass_fds=[listening], env=environment | settings)

    def bucket(self) -> "Bucket":
        """A new, empty one."""
        name = f"bucket-{next(self._numbers)}"
        (self.place / name).mkdir()
        return Bucket(self, name)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()


class Bucket:
    """A bucket that a test fills by obstore and reads by the connector."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.directory = server.place / name
        self.store = S3Store(
            name,
            endpoint=server.url,
            region="us-east-1",
            client_options={"allow_http": True, "timeout": timedelta(seconds=20)},
            **KEYS,
        )

    def put(self, key: str, content: bytes, **attributes: str) -> None:
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        obstore.put(self.store, key, content, attributes=named, use_multipart=False)

    def delete(self, key: str) -> None:
        obstore.delete(self.store, key)

    def options(self, prefix: str = "", **others: object) -> S3Options:
        given: dict[str, object] = {"endpoint": self.server.url, **KEYS, **others}
        return S3Options(f"s3://{self.name}/{prefix}", **given)  # type: ignore[arg-type]

    def connector(self, prefix: str = "", *, max_bytes: int = 2**20, **others: object) -> S3Connector:
        return S3Connector(self.options(prefix, **others), workspace=Path("/nowhere"), max_bytes=max_bytes)


_running: list[Server] = []


def server() -> Server:
    """The one that runs; it is started when it is first asked for."""
    if not _running:
        _running.append(Server())
    return _running[0]


def stop() -> None:
    while _running:
        _running.pop().stop()
