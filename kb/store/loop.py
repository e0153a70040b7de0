"""An event loop in a thread of its own: queries of one search run side by side, without LanceDB's synchronous layer."""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines for any number of threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="kb-store", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for the work's result, or raises what it raised. Never from within such work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@cache
def loop() -> Loop:
    """The process's own."""
    return Loop()
