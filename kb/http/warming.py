"""The model is loaded while the server answers already; until then it is alive, and not ready."""

import threading
from collections.abc import Callable

from kb.errors import KBError


class Warming:
    """Called, it says what is still to be waited for; `failed` is what kept it from coming to its end."""

    def __init__(self, warm: Callable[[], None], give_up: Callable[[], None]) -> None:
        """`give_up` is called from another thread where it never will be warm."""
        self.failed: KBError | None = None
        self._warm = warm
        self._give_up = give_up
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kb-warm", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def __call__(self) -> str | None:
        if self._ready.is_set():
            return None
        return str(self.failed or "the model is being loaded")

    def _run(self) -> None:
        try:
            self._warm()
        except Exception as error:
            words = f"the model cannot be loaded: {type(error).__name__}: {error}"
            self.failed = error if isinstance(error, KBError) else KBError(words)
            self._give_up()
        else:
            self._ready.set()
