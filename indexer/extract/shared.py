"""Extraction for sources that are read side by side: each has a pool to itself meanwhile, and one stays warm."""

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Self, TypeVar

from indexer.extract.pool import ExtractionPool
from kb.errors import Interrupted
from kb.home import Config

A = TypeVar("A")
R = TypeVar("R")


class SharedPool(ExtractionPool):
    """For any number of threads, which live as long as it does: a pool's processes end with the thread that began them.

    A source that waits for its own documents keeps none of the others from a pool.
    """

    def __init__(self, workers: int = 2, timeout_s: float = 120.0, memory_bytes: int = 2_000_000_000) -> None:
        super().__init__(workers, timeout_s, memory_bytes)
        self._idle: list[ExtractionPool] = []
        self._changing = threading.Lock()
        self._closed = False

    @classmethod
    def of(cls, config: Config) -> Self:
        """As the configuration has it."""
        return cls(config.workers, config.extract_timeout_s, config.extract_memory_mb * 2**20)

    def close(self) -> None:
        with self._changing:
            self._closed = True
            idle, self._idle = self._idle, []
        for pool in idle:
            pool.close()

    def map(
        self, function: Callable[[A], R], arguments: Iterable[A], weigh: Callable[[A], int] | None = None
    ) -> Iterator[R | Exception]:
        drawn = iter(arguments)
        # A pool is taken once there is something to extract, and draws all the rest.
        for first in drawn:
            pool = self._take()
            try:
                yield from pool.map(function, chain([first], drawn), weigh)
            finally:
                self._give_back(pool)

    def warm(self, function: Callable[[A], object], argument: A) -> None:
        """Has a pool at work before the first document comes; its processes take seconds to begin."""
        for result in self.map(function, [argument]):
            if isinstance(result, Exception):
                raise result

    def _take(self) -> ExtractionPool:
        with self._changing:
            if self._closed:
                raise Interrupted("extraction was stopped")
            return (
                self._idle.pop() if self._idle else ExtractionPool(self._workers, self._timeout_s, self._memory_bytes)
            )

    def _give_back(self, pool: ExtractionPool) -> None:
        with self._changing:
            keep = not self._idle and not self._closed
            if keep:
                self._idle.append(pool)
        if not keep:
            pool.close()
