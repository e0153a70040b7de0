"""Hostile documents are worked on in processes of their own, each with a limit of time and memory."""

import itertools
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from indexer.extract import worker
from indexer.extract.spawning import BareContext
from kb.errors import ExtractionError

A = TypeVar("A")
R = TypeVar("R")

_BATCH_DOCUMENTS = 64
_BATCH_WEIGHT = 256_000
_TASKS_PER_WORKER = 500
_TRIES = 3


@dataclass(slots=True)
class _Batch(Generic[A, R]):
    """Documents that travel together; `done` grows until it is as long as `arguments`."""

    arguments: list[A]
    done: list[R | Exception] = field(default_factory=list)
    tries: int = 0
    future: "Future[list[R | Exception]] | None" = None
    pool: Any = None
    alone: bool = False

    def rest(self) -> list[A]:
        rest = self.arguments[len(self.done) :]
        return rest[:1] if self.alone else rest


class ExtractionPool:
    """Runs a pure function over documents in spawned processes. Starts none before the first document."""

    def __init__(self, workers: int = 2, timeout_s: float = 120.0, memory_bytes: int = 2_000_000_000) -> None:
        self._workers = workers
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._pool: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops the workers at once, whatever they are doing."""
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def map(
        self, function: Callable[[A], R], arguments: Iterable[A], weigh: Callable[[A], int] | None = None
    ) -> Iterator[R | Exception]:
        """Each result, or the exception in its place, in order; what exceeds a limit is an ExtractionError.

        Arguments are drawn as there is room for them: at most two batches for each worker are in memory. Light ones
        travel together; `weigh` gives an argument's bytes, without it those of its `content`.
        """
        waiting: deque[_Batch[A, R]] = deque()
        for batch in _batches(arguments, weigh or _content_bytes):
            self._send(function, batch)
            waiting.append(batch)
            while len(waiting) >= 2 * self._workers:
                yield from self._finish(function, waiting.popleft())
        while waiting:
            yield from self._finish(function, waiting.popleft())

    def _send(self, function: Callable[[A], R], batch: _Batch[A, R]) -> None:
        batch.pool = self._started()
        batch.future = batch.pool.schedule(worker.run, args=(function, batch.rest()), timeout=self._timeout_s)

    def _finish(self, function: Callable[[A], R], batch: _Batch[A, R]) -> Iterator[R | Exception]:
        while len(batch.done) < len(batch.arguments):
            # What went down with an earlier pool goes again.
            if batch.future is None or (batch.pool is not self._pool and not batch.future.done()):
                self._send(function, batch)
            self._collect(batch)
        yield from batch.done

    def _collect(self, batch: _Batch[A, R]) -> None:
        """Takes what a batch has done. Where its process died, its documents go on alone, to find the one at fault."""
        assert batch.future is not None
        future, batch.future = batch.future, None
        try:
            batch.done += future.result()
            batch.tries = 0
        except BrokenProcessPool as error:
            self._restart(batch, error)
        except Exception as error:
            ending = worker.failure(error, self._timeout_s)
            if ending is None:
                raise
            if len(batch.rest()) == 1:
                batch.done.append(ending)
            batch.alone = True

    def _restart(self, batch: _Batch[A, R], error: BrokenProcessPool) -> None:
        """A worker that dies between two messages takes pebble's pool with it; what was in flight goes again."""
        if batch.pool is self._pool:
            self.close()
        batch.tries += 1
        batch.alone = True
        if batch.tries == _TRIES:
            batch.done.append(ExtractionError("corrupt", f"the parser crashed: {error}"))
            batch.tries = 0

    def _started(self) -> Any:
        if self._pool is not None and not self._pool.active:
            self.close()
        if self._pool is None:
            self._pool = _pool(self._workers, self._memory_bytes)
        return self._pool


def _content_bytes(argument: object) -> int:
    return len(getattr(argument, "content", b""))


def _pool(workers: int, memory_bytes: int) -> Any:
    from pebble import ProcessPool

    pool = ProcessPool(
        max_workers=workers,
        max_tasks=_TASKS_PER_WORKER,
        initializer=worker.prepare,
        initargs=(memory_bytes,),
        context=BareContext(),
    )
    # Workers inherit the mask of the threads that start them: Ctrl-C is the parent's to answer, even while they start.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # Asking for its state starts it.
        _ = pool.active
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pool


def _batches(arguments: Iterable[A], weigh: Callable[[A], int]) -> Iterator[_Batch[A, Any]]:
    # The first are small, so that every worker has something to do at once.
    sizes = itertools.chain((1, 2, 4, 8, 16, 32), itertools.repeat(_BATCH_DOCUMENTS))
    batch: list[A] = []
    weight, most = 0, next(sizes)
    for argument in arguments:
        load = weigh(argument)
        if batch and (len(batch) >= most or weight + load > _BATCH_WEIGHT):
            yield _Batch(batch)
            batch, weight, most = [], 0, next(sizes)
        batch.append(argument)
        weight += load
    if batch:
        yield _Batch(batch)
