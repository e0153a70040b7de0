"""Spawned processes that do not run the caller's script again."""

import multiprocessing.context
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_hiding = threading.Lock()


class _Process(multiprocessing.context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _main_hidden():
            return multiprocessing.context.SpawnProcess._Popen(process_obj)


class BareContext(multiprocessing.context.SpawnContext):
    """What `spawn` does, without importing `__main__`: a script without a guard would otherwise sync in each worker."""

    Process = _Process


@contextmanager
def _main_hidden() -> Iterator[None]:
    with _hiding:
        main = sys.modules["__main__"]
        bare = ModuleType("__main__")
        sys.modules["__main__"] = bare
        try:
            yield
        finally:
            sys.modules["__main__"] = main
