"""Runs a loader in a process of its own, under limits of time and memory, and reads what it left in the spill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from connectors.loader.redaction import redacted
from kb.errors import SourceUnavailable

MAX_TOTAL = 16 * 2**30
"""All documents of one load together may have so many bytes."""

_CHILD = Path(__file__).with_name("child.py")
_REMEDIES = {
    "import": "install the package that it is in, or correct `loader`",
    "make": "check `arguments`",
    "load": "see to it, then sync again",
}


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be loaded, how, and within which limits."""

    loader: str
    arguments: Mapping[str, object]
    load_arguments: Mapping[str, object]
    directory: Path
    importable: bool
    """Whether modules in the directory can be imported, too."""
    max_bytes: int
    timeout_s: int
    memory_mb: int

    @property
    def subject(self) -> str:
        return f"loader {self.loader}"


@dataclass(frozen=True, slots=True)
class Record:
    """One document as it was loaded; its content lies in the spill at `offset`, unless it was too large to keep."""

    own_id: str | None
    metadata: Mapping[str, str]
    size: int
    sha256: str
    place: int
    """Where the record itself lies in the spill."""
    offset: int


def load(job: Job, spill: IO[bytes]) -> Iterator[Record]:
    """What the loader gives, in its order. Raises SourceUnavailable unless it came to its end."""
    status = _run(job, spill)
    place = 0
    while header := _header(spill, place):
        if "error" in header:
            raise _failed(job, header)
        if "end" in header:
            return
        record = _record(header, place, spill.tell())
        place = record.offset + header["stored"]
        yield record
    raise SourceUnavailable(f"{job.subject} {_ending(status)} before all was loaded; nothing was changed")


def record_at(spill: IO[bytes], place: int) -> Record:
    """A record that was read before."""
    header = _header(spill, place)
    assert header is not None, "it was read before"
    return _record(header, place, spill.tell())


def _run(job: Job, spill: IO[bytes]) -> int:
    """Its exit status; nothing that it started is left."""
    request = _request(job, spill.fileno())
    process = subprocess.Popen(
        (sys.executable, "-P", str(_CHILD)),
        stdin=subprocess.PIPE,
        # What it prints is nobody's: standard output belongs to the command, and secrets may be in the rest.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(spill.fileno(),),
        cwd=job.directory,
        # Without a fixed seed, what comes out of a set has another order in every process.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )
    assert process.stdin is not None, "it was started with a pipe"
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(request)
            process.stdin.flush()
        # The pipe stays open meanwhile: by its end the process learns that this one is gone.
        return process.wait(job.timeout_s)
    except subprocess.TimeoutExpired as error:
        remedy = "raise `timeout_s`, or let it load less"
        raise SourceUnavailable(f"{job.subject} did not end within {job.timeout_s} s; {remedy}") from error
    finally:
        _stop(process)


def _request(job: Job, descriptor: int) -> bytes:
    own = [str(job.directory)] if job.importable else []
    request = {
        "spill": descriptor,
        "path": own + [os.path.abspath(place) for place in sys.path if place],
        "loader": job.loader,
        "arguments": job.arguments,
        "load_arguments": job.load_arguments,
        "max_bytes": job.max_bytes,
        "max_total": MAX_TOTAL,
        "timeout_s": job.timeout_s,
        "memory_bytes": job.memory_mb * 2**20,
    }
    return json.dumps(request).encode() + b"\n"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdin is not None, "it was started with a pipe"
    with suppress(BrokenPipeError):
        process.stdin.close()


def _header(spill: IO[bytes], place: int) -> dict[str, Any] | None:
    """None where the spill ends, or breaks off."""
    spill.seek(place)
    try:
        header = json.loads(spill.readline())
    except ValueError:
        return None
    return header if isinstance(header, dict) else None


def _record(header: Mapping[str, Any], place: int, offset: int) -> Record:
    return Record(header["id"], header["metadata"], header["size"], header["sha256"], place, offset)


def _failed(job: Job, header: Mapping[str, Any]) -> SourceUnavailable:
    given = {**job.arguments, **job.load_arguments}
    words = redacted(header["text"], given)
    remedy = _REMEDIES[header["stage"]]
    if header["error"] == "MemoryError":
        remedy = f"raise `memory_mb` ({job.memory_mb}), or let it load less"
    return SourceUnavailable(f"{job.subject}: {redacted(header['error'], {})}{': ' if words else ''}{words}; {remedy}")


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended itself with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"crashed ({name})"
