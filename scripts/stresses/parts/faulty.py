"""A source that goes wrong on demand: a folder, and beside it a file that says what is the matter with it now."""

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Final

import time_machine

from connectors import options
from connectors.folder import FolderConnector, FolderOptions
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from kb.errors import SourceUnavailable

FAULTS: Final = ("refuse", "crash", "hang", "half", "garbage", "clock")
GARBAGE: Final = b"\x00\x01\xfe\xff" * 64
CLOCK_STEP_S: Final = 3_600
_STEP_S: Final = 0.05


class Clock:
    """The time of day of the whole process, as Python reads it; the clock that never steps stays as it is."""

    def __init__(self) -> None:
        self._stepping = threading.Lock()
        self._back: time_machine.travel | None = None

    def step(self) -> None:
        """An hour back; where it was set back before, forward again to the machine's own."""
        with self._stepping:
            if self._back is None:
                self._back = time_machine.travel(time.time() - CLOCK_STEP_S)
                self._back.start()
            else:
                self._back.stop()
                self._back = None


CLOCK: Final = Clock()


@dataclass(frozen=True, slots=True)
class FaultyOptions(FolderOptions):
    """`gate` is a pipe that is read to its end before each poll: whoever writes to it knows that the source hangs."""

    gate: Annotated[str, options.text] = ""
    token: Annotated[str, options.text] = ""


class FaultyConnector(FolderConnector):
    """The kind `faulty`; errors name its token, as those of careless libraries do."""

    options_type: ClassVar[type[FolderOptions]] = FaultyOptions

    def __init__(self, options: FaultyOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(FolderOptions(options.path), workspace=workspace, max_bytes=max_bytes)
        self._sign = options.path.with_suffix(".fault")
        self._gate = options.gate
        self._token = options.token
        self._fetched = 0

    def poll(self, checkpoint: str | None) -> Listing:
        if self._gate and os.path.exists(self._gate):
            with open(self._gate, "rb") as gate:
                gate.read()
        while (fault := self._fault()) == "hang":
            time.sleep(_STEP_S)
        if fault == "refuse":
            raise SourceUnavailable(f"the wire is cut, token {self._token}")
        if fault == "crash":
            raise ValueError(f"unexpected reply, token {self._token}")
        if fault == "clock":
            self._sign.unlink(missing_ok=True)
            CLOCK.step()
        listing = super().poll(checkpoint)
        if fault != "garbage":
            return listing
        return replace(listing, entries=tuple(replace(one, stamp=f"{one.stamp}!") for one in listing.entries))

    def fetch(self, entry: Entry) -> Fetched:
        self._fetched += 1
        if self._fault() == "half" and self._fetched % 2 == 0:
            raise SourceUnavailable(f"the reply broke off, token {self._token}")
        if entry.stamp.endswith("!"):
            return Fetched(GARBAGE)
        return super().fetch(entry)

    def _fault(self) -> str:
        try:
            return self._sign.read_text()
        except FileNotFoundError:
            return ""


def plug(directory: Path) -> None:
    """Registers the kind, as a third party does, for processes that have the directory on their path."""
    metadata = directory / "faulty-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[kb.connectors]\nfaulty = {__name__}:FaultyConnector\n")
