"""`kb up` as a process: what it says, how it ends, what it serves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from scripts.stresses.parts.log_lines import PATIENCE_S, Told

ROOT: Final = Path(__file__).resolve().parents[3]
KB: Final = Path(sys.executable).with_name("kb")
STOPS_WITHIN_S: Final = 10.0


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

    def order(self, home: Path, *words: str, **changes: str) -> tuple[int, str]:
        """Another terminal's command: its exit code, and what it says on standard error."""
        asked = launch(["--home", str(home), *words], **changes)
        _, said = asked.communicate(timeout=5 * PATIENCE_S)
        return asked.returncode, said

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
