"""Reading a repository's objects through git processes that stay open between questions."""

import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import IO

from connectors.git.command import Git, stop
from kb.errors import ExtractionError, SourceUnavailable

_TOGETHER = 500
"""Questions asked before the first answer is read: few enough to fit the pipe."""

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024
"""What the specification allows a pointer at most."""


class Objects:
    """Safe to use from several threads. Its processes start when first asked and end with `close`."""

    def __init__(self, git: Git) -> None:
        self._lock = threading.Lock()
        self._contents = _Questions(git, "--batch")
        self._sizes = _Questions(git, "--batch-check")

    def read(self, name: bytes, shown: str, max_bytes: int) -> bytes | None:
        """The object's content, None where there is none. Raises ExtractionError, SourceUnavailable."""
        with self._lock:
            self._contents.ask([name])
            return self._contents.content(shown, max_bytes)

    def pointers(self, ids: Sequence[str]) -> frozenset[str]:
        """Those that are not documents but Git LFS's notes of where one is."""
        with self._lock:
            return frozenset(found for batch in _batches(ids) for found in self._pointers(batch))

    def close(self) -> None:
        with self._lock:
            self._contents.close()
            self._sizes.close()

    def _pointers(self, ids: Sequence[str]) -> list[str]:
        self._sizes.ask([each.encode() for each in ids])
        sizes = [self._sizes.size() for _ in ids]
        small = [each for each, size in zip(ids, sizes, strict=True) if size is not None and size < _POINTER_BYTES]
        self._contents.ask([each.encode() for each in small])
        contents = [self._contents.content(each, _POINTER_BYTES) for each in small]
        return [each for each, content in zip(small, contents, strict=True) if (content or b"").startswith(_POINTER)]


class _Questions:
    """One `git cat-file` process: ask, then take each answer in order."""

    def __init__(self, git: Git, mode: str) -> None:
        self._git = git
        self._mode = mode
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._end: Callable[[], object] | None = None

    def ask(self, names: Sequence[bytes]) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None, "it was started with pipes"
        try:
            self._process.stdin.write(b"".join(name + b"\n" for name in names))
            self._process.stdin.flush()
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
            # Ended rather than read to the end: the answer is on its way already.
            self.close()
            raise ExtractionError("too large", f"{shown} has {size:,} bytes, more than the {max_bytes:,} allowed")
        content = self._output().read(size + 1)
        if len(content) != size + 1:
            raise self._failure()
        return content[:-1]

    def close(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._errors = self._end = None

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()
        self._process = self._git.start("cat-file", self._mode, errors=self._errors, asks=True)
        self._end = weakref.finalize(self, _end, self._process, self._errors)

    def _output(self) -> IO[bytes]:
        assert self._process is not None and self._process.stdout is not None, "it was asked before"
        return self._process.stdout

    def _failure(self) -> SourceUnavailable:
        assert self._process is not None and self._errors is not None, "it was asked before"
        stop(self._process)
        self._errors.seek(0)
        failure = self._git.failure(self._errors.read())
        self.close()
        return failure


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    stop(process)
    errors.close()


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, _TOGETHER)):
        yield batch
