"""A small file system of its own, that can be filled up or made read-only at any moment."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotMount(Exception):
    """What `mount` says where it is not permitted."""


class Volume:
    """Mounted at a path; its ballast is a file beside whatever else lies on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    @property
    def free(self) -> int:
        """Bytes."""
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize

    def fill(self, leave: int) -> None:
        """Leaves so many bytes of room."""
        with open(self._ballast, "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(self.free - leave, 1))

    def drain(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Only where no file is open for writing."""
        _run("mount", "-o", "remount,ro", str(self.path))
        try:
            yield
        finally:
            _run("mount", "-o", "remount,rw", str(self.path))


@contextmanager
def mounted(path: Path, size_mb: int) -> Iterator[Volume]:
    """Raises CannotMount."""
    path.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", str(path))
    try:
        yield Volume(path)
    finally:
        # Lazily: an interrupted run may still have something open.
        _run("umount", "--lazy", str(path))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMount(" ".join(done.stderr.split()) or f"{command[0]} ended with {done.returncode}")
