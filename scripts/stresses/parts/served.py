"""`kb serve` as a process: where it listens, what it holds, how it ends."""

import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from scripts.stresses.parts.log_lines import PATIENCE_S
from scripts.stresses.parts.up import launch

STOPS_WITHIN_S: Final = 10.0
_LISTENING: Final = "listening on "


class Served:
    """One such process. `said` is the end of what it said on standard error."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: deque[str] = deque(maxlen=50)
        assert process.stderr is not None
        line = process.stderr.readline()
        if _LISTENING not in line:
            raise RuntimeError(f"`kb serve` does not listen: {line}{process.communicate(timeout=PATIENCE_S)[1]}")
        self.url = line.partition(_LISTENING)[2].strip()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def await_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while httpx.get(f"{self.url}/health/ready", timeout=PATIENCE_S).status_code != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.url} is not ready after {PATIENCE_S:.0f} s")
            time.sleep(0.05)

    def held_mb(self) -> float:
        """Megabytes of memory."""
        return held_mb(self.process.pid)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        self._reading.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)


@contextmanager
def served(home: Path, port: int = 0) -> Iterator[Served]:
    """A server that is killed at the end if it has not ended by then."""
    process = launch(["--home", str(home), "serve", "--port", str(port)])
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait()


def held_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def free_port() -> int:
    """One that nobody listens at, for servers that are to follow each other."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
