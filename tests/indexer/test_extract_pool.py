"""The pool: order, batches, limits of time and memory, crashes, and no process that outlives its parent."""

import multiprocessing
import os
import select
import signal
import subprocess
import sys
from functools import partial
from operator import call
from pathlib import Path
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract import extract
from indexer.extract.pool import ExtractionPool
from kb.errors import ExtractionError

# Functions here are the standard library's: those of a test module cannot be imported by another process.
FOR_EVER_S = 600


def reasons(results: list[object]) -> list[object]:
    return [each.reason if isinstance(each, ExtractionError) else each for each in results]


def children() -> set[int | None]:
    """Of this process; other tests of it may have a pool of their own."""
    return {child.pid for child in multiprocessing.active_children()}


def test_starts_no_process_for_nothing() -> None:
    before = children()
    with ExtractionPool() as pool:
        assert list(pool.map(abs, [])) == []
        assert children() <= before


def test_results_come_in_order_with_exceptions_in_their_place() -> None:
    before = children()
    with ExtractionPool(workers=2) as pool:
        results = list(pool.map(int, [str(n) if n % 7 else "x" for n in range(300)]))
        assert [repr(each) for each in results] == [str(n) if n % 7 else repr(results[0]) for n in range(300)]
        assert isinstance(results[0], ValueError)
    assert children() <= before


def test_what_takes_too_long_is_stopped_and_the_rest_goes_on() -> None:
    with ExtractionPool(workers=2, timeout_s=1) as pool:
        assert reasons(list(pool.map(sleep, [0, 0, FOR_EVER_S, 0, 0]))) == [None, None, "timed out", None, None]
        assert list(pool.map(abs, [-1])) == [1]


def test_what_needs_too_much_memory_is_refused() -> None:
    with ExtractionPool(workers=1, memory_bytes=200_000_000) as pool:
        results = list(pool.map(len, [b"1"])) + reasons(list(pool.map(bytearray, [10, 1_000_000_000, 20])))
    assert results == [1, bytearray(10), "out of memory", bytearray(20)]


def test_a_large_result_is_not_the_documents_fault() -> None:
    with ExtractionPool(workers=1, memory_bytes=200_000_000) as pool:
        assert [len(each) for each in pool.map(bytes, [150_000_000])] == [150_000_000]


@pytest.mark.parametrize("death", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_costs_one_document(death: signal.Signals) -> None:
    calls = [partial(abs, -1), partial(signal.raise_signal, death), partial(abs, -2)]
    with ExtractionPool(workers=2, timeout_s=30) as pool:
        results = list(pool.map(call, calls * 2))
        assert reasons(results) == [1, "corrupt", 2] * 2
        assert death.name in str(results[1])
        assert list(pool.map(abs, [-3])) == [3]


def test_sudden_deaths_in_a_row() -> None:
    with ExtractionPool(workers=2, timeout_s=30) as pool:
        assert reasons(list(pool.map(os._exit, [3] * 6))) == ["corrupt"] * 6


def test_a_process_killed_by_the_system_ran_out_of_memory() -> None:
    with ExtractionPool(workers=1) as pool:
        assert reasons(list(pool.map(signal.raise_signal, [signal.SIGKILL]))) == ["out of memory"]


def test_workers_leave_the_interrupt_to_their_parent() -> None:
    with ExtractionPool(workers=1) as pool:
        before = list(pool.map(call, [os.getpid]))
        assert list(pool.map(signal.raise_signal, [signal.SIGINT])) == [None]
        assert list(pool.map(call, [os.getpid])) == before
        assert list(pool.map(signal.getsignal, [signal.SIGINT])) == [signal.SIG_IGN]


def test_documents_are_not_drawn_ahead_without_bound() -> None:
    drawn: list[int] = []

    def documents():  # type: ignore[no-untyped-def]
        for number in range(100):
            drawn.append(number)
            yield number

    with ExtractionPool(workers=1) as pool:
        results = pool.map(abs, documents(), weigh=lambda _: 10_000_000)
        next(results)
        assert len(drawn) <= 4


@given(st.lists(st.integers(0, 200_000), max_size=200))
def test_every_document_travels_once(weights: list[int]) -> None:
    from indexer.extract.pool import _batches

    batches = [batch.arguments for batch in _batches(weights, lambda weight: weight)]
    assert [weight for batch in batches for weight in batch] == weights
    assert all(len(batch) == 1 or sum(batch) <= 256_000 for batch in batches)


def test_plain_text_needs_no_heavy_library() -> None:
    with ExtractionPool(workers=1) as pool:
        texts = list(pool.map(call, [partial(extract, b"# Title\n\ntext", "a.md")]))
        assert getattr(texts[0], "title", texts[0]) == "Title"
        heavy = "[name for name in ('unstructured', 'pandas', 'spacy') if name in __import__('sys').modules]"
        assert list(pool.map(eval, [heavy])) == [[]]


PARENT = """
import sys
from indexer.extract.pool import ExtractionPool

# The worker tells its number itself, so that it is known to be busy when its parent dies.
BUSY = f"open({sys.argv[1]!r}, 'w').write(str(__import__('os').getpid())) and __import__('time').sleep(600)"
with ExtractionPool(workers=1) as pool:
    list(pool.map(eval, [BUSY]))
"""


@pytest.fixture
def told(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "told")
    return tmp_path / "told"


def has_ended(process: int) -> bool:
    """Whether a process, given by a descriptor, ends within twenty seconds."""
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    return bool(waiting.poll(20_000))


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child, as Linux can")
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent(death: signal.Signals, told: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(told)], stderr=subprocess.DEVNULL) as parent:
        worker = os.pidfd_open(int(told.read_text()))
        parent.send_signal(death)
        assert has_ended(worker)
        os.close(worker)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child, as Linux can")
def test_an_interrupt_of_the_whole_group_ends_the_parent_in_order(told: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(told)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        worker = os.pidfd_open(int(told.read_text()))
        os.killpg(parent.pid, signal.SIGINT)
        _, said = parent.communicate(timeout=30)
        ended = has_ended(worker)
        os.close(worker)
    assert ended
    assert said.count("KeyboardInterrupt") == 1


def test_workers_keep_off_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    with ExtractionPool(workers=1) as pool:
        assert list(pool.map(print, ["noise"])) == [None]
        assert list(pool.map(call, [partial(os.write, stream, b"noise") for stream in (1, 2)])) == [5, 5]
    assert "noise" not in "".join(capfd.readouterr())
