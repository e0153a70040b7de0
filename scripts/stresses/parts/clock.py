"""A clock that can be set while a process runs by it; Debian's package libfaketime has the library for it."""

from pathlib import Path


class Clock:
    """Steps by a file that the library reads again each time."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self.library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        self.step_h = 0
        self.step(0)

    def step(self, hours: int) -> None:
        self.step_h = hours
        self._file.write_text(f"{hours * 3600:+d}\n")

    def environment(self) -> dict[str, str]:
        """Nothing where the library is not installed: then the clock stays as it is."""
        if self.library is None:
            return {}
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # The times of files are the world's.
            "NO_FAKE_STAT": "1",
        }
