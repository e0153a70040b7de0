"""A PostgreSQL server of the tests' own: made by the system's programs in a temporary directory, stopped at the end."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_ATTEMPTS = 5
_PASSWORD = "n0t-t0-be-sh0wn"
_SETTINGS = "fsync = off\nmax_connections = 300\nshared_buffers = 16MB\nunix_socket_directories = ''\n"


def programs() -> Path | None:
    """Where initdb and pg_ctl are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """A running server on 127.0.0.1."""

    directory: Path
    port: int

    def url(self, *, user: str = "admin", password: str = _PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            # Without values a `%` stands for itself.
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within it the server's processes stand still: connections stay open and nothing answers."""
        pids = [
            self._pid(),
            *(pid for (pid,) in self.execute("SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL")),
        ]
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def start(self) -> None:
        self._control("start", "-l", "log")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _pid(self) -> int:
        return int((self.directory / "cluster" / "postmaster.pid").read_text().split()[0])

    def _control(self, *words: str) -> None:
        _run(self.directory, "pg_ctl", "-w", "-D", "cluster", *words)


def _signal(pids: Sequence[int], what: signal.Signals) -> None:
    for pid in pids:
        # The one that was asked for the others has ended.
        with suppress(ProcessLookupError):
            os.kill(pid, what)


@contextmanager
def running() -> Iterator[Cluster]:
    """Its directory may be entered by the user that the server runs as, which is never root."""
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    cluster = None
    try:
        if os.geteuid() == 0:
            os.chown(directory, *_user())
        cluster = _started(directory)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(directory)


def _started(directory: Path) -> Cluster:
    (directory / "password").write_text(_PASSWORD)
    made = ("--username=admin", "--pwfile=password", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
    _run(directory, "initdb", "--no-sync", "-D", "cluster", *made)
    settings = directory / "cluster" / "postgresql.conf"
    default = settings.read_text()
    for attempt in range(_ATTEMPTS):
        # Between the choice and the start somebody else may take the port.
        cluster = Cluster(directory, _free_port())
        settings.write_text(f"{default}\n{_SETTINGS}port = {cluster.port}\n")
        try:
            cluster.start()
        except RuntimeError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    return cluster


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _run(directory: Path, program: str, *arguments: str) -> None:
    place = programs()
    assert place is not None, "it was asked for before"
    with tempfile.TemporaryFile() as output:
        # The server keeps what it is given as output, so that a pipe would never end.
        run = subprocess.run(
            (place / program, *arguments), cwd=directory, stdout=output, stderr=output, timeout=120, **_as_nobody()
        )
        output.seek(0)
        if run.returncode:
            log = directory / "log"
            words = output.read().decode() + (log.read_text() if log.exists() else "")
            raise RuntimeError(f"{program} {' '.join(arguments)}: {words}")


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL's programs refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    user, group = _user()
    return {"user": user, "group": group, "extra_groups": []}


def _user() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise RuntimeError("there is neither a user postgres nor nobody to run PostgreSQL as")
