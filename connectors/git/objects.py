"""Reading a repository's objects through git processes that stay open between questions."""

import subprocess
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from connectors.git.command import Git, stop
from kb.batches import batches
from kb.errors import ExtractionError, SourceUnavailable

_TOGETHER = 500
"""Questions asked before the first answer is read: few enough to fit the pipe."""

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024
"""What the specification allows a pointer at most."""


class Objects:
    """Safe to use from several threads. Its processes start when first asked and end with `close`."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._open: dict[str, _CatFile] = {}

    def read(self, name: bytes, shown: str, max_bytes: int) -> bytes | None:
        """The object's content, None where there is none. Raises ExtractionError, SourceUnavailable."""
        with self._turn():
            return self._ask("--batch", [name]).content(shown, max_bytes)

    def pointers(self, ids: Sequence[str]) -> frozenset[str]:
        """Those that are not documents but Git LFS's notes of where one is."""
        with self._turn():
            return frozenset(found for batch in batches(ids, _TOGETHER) for found in self._pointers(batch))

    def close(self) -> None:
        with self._lock:
            self._close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except BaseException:
                # Whatever answer is still on its way must not be taken for the next one.
                self._close()
                raise

    def _pointers(self, ids: Sequence[str]) -> list[str]:
        asked = self._ask("--batch-check", [each.encode() for each in ids])
        sizes = [asked.size() for _ in ids]
        small = [each for each, size in zip(ids, sizes, strict=True) if size is not None and size < _POINTER_BYTES]
        asked = self._ask("--batch", [each.encode() for each in small])
        contents = [asked.content(each, _POINTER_BYTES) for each in small]
        return [each for each, content in zip(small, contents, strict=True) if (content or b"").startswith(_POINTER)]

    def _ask(self, mode: str, names: Sequence[bytes]) -> "_CatFile":
        if mode not in self._open:
            self._open[mode] = _CatFile(self._git, mode)
        self._open[mode].ask(names)
        return self._open[mode]

    def _close(self) -> None:
        for process in self._open.values():
            process.end()
        self._open.clear()


class _CatFile:
    """One `git cat-file` process: ask, then take each answer in order. It ends with its owner at the latest."""

    def __init__(self, git: Git, mode: str) -> None:
        self._git = git
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._process = git.start("cat-file", mode, errors=self._errors, asks=True)
        self.end = weakref.finalize(self, _end, self._process, self._errors)

    def ask(self, names: Sequence[bytes]) -> None:
        pipe = self._process.stdin
        assert pipe is not None, "it was started with a pipe"
        try:
            pipe.write(b"".join(name + b"\n" for name in names))
            pipe.flush()
        except BrokenPipeError as error:
            raise self._failure() from error

    def size(self) -> int | None:
        """None where the object is missing."""
        answer = self._output().readline()
        if not answer.endswith(b"\n"):
            raise self._failure()
        last = answer.rstrip(b"\n").rpartition(b" ")[2]
        return int(last) if last.isdigit() else None

    def content(self, shown: str, max_bytes: int) -> bytes | None:
        size = self.size()
        if size is None:
            return None
        if size > max_bytes:
            raise ExtractionError("too large", f"{shown} has {size:,} bytes, more than the {max_bytes:,} allowed")
        content = self._output().read(size + 1)
        if len(content) != size + 1:
            raise self._failure()
        return content[:-1]

    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None, "it was started with a pipe"
        return self._process.stdout

    def _failure(self) -> SourceUnavailable:
        stop(self._process)
        self._errors.seek(0)
        return self._git.failure(self._errors.read())


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    stop(process)
    errors.close()
