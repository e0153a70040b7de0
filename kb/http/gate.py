"""A bounded number of requests is worked on, a bounded number waits, and none waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kb.errors import Busy
from kb.http.limits import Limits

T = TypeVar("T")


class Gate:
    """For one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._under_way: set[asyncio.Task[object]] = set()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """What the work gives. Raises Busy where too many wait, or where it is not done in time."""
        if len(self._under_way) >= self._limits.at_once + self._limits.waiting:
            raise Busy(f"{len(self._under_way)} requests are under way already: ask again in a moment")
        begun = asyncio.Event()
        task = asyncio.create_task(self._in_turn(work, begun))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait([task], timeout=self._limits.answer_s)
        if task.done():
            return task.result()
        if not begun.is_set():
            task.cancel()
        # A thread cannot be stopped: what has begun keeps its place until it ends.
        raise Busy(f"the answer took longer than {self._limits.answer_s:g} seconds: ask for less, or again later")

    async def _in_turn(self, work: Callable[[], Awaitable[T]], begun: asyncio.Event) -> T:
        async with self._places:
            begun.set()
            return await work()

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Whoever waited has it, or has gone.
            task.exception()
