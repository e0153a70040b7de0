"""`kb up` as a process: what it says, how it ends, what it serves."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from crash_support import KB
from daemon_support import PATIENCE_S, Told

ROOT = Path(__file__).parent.parent
STOPS_WITHIN_S = 10.0


class Up:
    """One such process. `told` is its log."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.told = Told()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def await_ready(self) -> None:
        self.told.await_line("listening")
        self.told.await_line("ready")

    def get(self, path: str) -> httpx.Response:
        (listening,) = self.told.events("listening")
        return httpx.get(listening["url"] + path, timeout=PATIENCE_S)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        self._reading.join(PATIENCE_S)
        return code, time.monotonic() - began

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.write(line if line.startswith("{") else json.dumps({"event": "words", "words": line}))


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "KB_HOME"}
    path = os.pathsep.join([str(ROOT), changes.pop("PYTHONPATH", "")])
    return {**kept, "PYTHONPATH": path, **changes}


@contextmanager
def up(home: Path, *flags: str, **changes: str) -> Iterator[Up]:
    """A daemon that is killed at the end if it has not ended by then."""
    process = launch(["--home", str(home), "up", "--port", "0", "--log", "json", *flags], **changes)
    try:
        yield Up(process)
    finally:
        process.kill()
        process.wait()


def launch(arguments: Sequence[str], **changes: str) -> Any:
    """The command, with its standard error as text."""
    return subprocess.Popen(
        [KB, *arguments], env=environment(**changes), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
