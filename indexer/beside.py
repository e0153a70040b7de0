"""Work that goes on beside other work: LanceDB reads and writes in threads of its own, without Python's lock."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Future[T]]:
    """The work's result while it is being made. Whatever becomes of the block, the work has ended when it does."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(work)
