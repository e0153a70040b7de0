"""What runs in an extraction process, and what its death means."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from indexer.extract.limits import die_with_parent, lift_memory, limit_memory, rebase_memory
from kb.errors import ExtractionError

A = TypeVar("A")
R = TypeVar("R")

_SLICE_S = 1.0


def prepare(memory_bytes: int) -> None:
    """Once in each process, before its first document."""
    _hush()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    limit_memory(memory_bytes)


def _hush() -> None:
    """Parsers print what they please; standard output belongs to the command, the terminal to its progress."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    os.close(silence)


def run(function: Callable[[A], R], arguments: Sequence[A]) -> list[R | Exception]:
    """Results of the first arguments, as many as take about a second together, but one at least.

    So a slow document does not spend the time limit of those that travel behind it.
    """
    results: list[R | Exception] = []
    ends = time.monotonic() + _SLICE_S
    for argument in arguments:
        rebase_memory()
        results.append(_result(function, argument))
        if time.monotonic() > ends:
            break
    # What remains is to send them, which is not the documents' doing.
    lift_memory()
    return results


def _result(function: Callable[[A], R], argument: A) -> R | Exception:
    try:
        return function(argument)
    except MemoryError:
        return ExtractionError("out of memory", "it needs more memory than extraction may use")
    except Exception as error:
        return error


def failure(error: Exception, timeout_s: float) -> ExtractionError | None:
    """What the end of a process says of the document that it was working on; None where it says nothing."""
    from pebble import ProcessExpired

    if isinstance(error, TimeoutError):
        return ExtractionError("timed out", f"extraction took more than {timeout_s:g} s")
    if not isinstance(error, ProcessExpired):
        return None
    if error.exitcode == -signal.SIGKILL:
        return ExtractionError("out of memory", "its process was killed, most likely by the system for lack of memory")
    return ExtractionError("corrupt", f"the parser crashed ({_ending(error.exitcode)})")


def _ending(exitcode: int) -> str:
    if exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"
