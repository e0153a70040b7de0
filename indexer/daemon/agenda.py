"""What is to be looked at, and when: wakes come in any number, and are gathered into one look."""

from typing import Final

DEBOUNCE_S: Final = 0.08
"""A wake is acted on once none followed it for so long: whoever writes one file often writes the next."""
PATIENCE_S: Final = 1.0
"""However many follow, the first waits no longer."""


class Agenda:
    """Pure but for its own state; moments are seconds of a clock that never steps. Not for several threads at once."""

    def __init__(self, debounce_s: float = DEBOUNCE_S, patience_s: float = PATIENCE_S) -> None:
        self._debounce_s = debounce_s
        self._patience_s = patience_s
        self._first: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._running: set[str] = set()

    def wake(self, name: str, moment: float) -> None:
        """Something may have changed: it is looked at soon, or once more when the look under way has ended."""
        first = self._first.setdefault(name, moment)
        self._due[name] = min(moment + self._debounce_s, first + self._patience_s)

    def look_at(self, name: str, moment: float) -> None:
        """It is looked at then, or before if it is woken."""
        self._due[name] = min(moment, self._due.get(name, moment))

    def due(self, moment: float) -> list[str]:
        """Those that are to be looked at now, the longest due first."""
        ripe = [(at, name) for name, at in self._due.items() if at <= moment and name not in self._running]
        return [name for _, name in sorted(ripe)]

    def next_s(self) -> float | None:
        """When the next one is due; None where nothing is."""
        return min((at for name, at in self._due.items() if name not in self._running), default=None)

    def begin(self, name: str) -> None:
        self._first.pop(name, None)
        self._due.pop(name, None)
        self._running.add(name)

    def end(self, name: str) -> None:
        self._running.discard(name)

    def forget(self, name: str) -> None:
        self._first.pop(name, None)
        self._due.pop(name, None)

    @property
    def running(self) -> frozenset[str]:
        return frozenset(self._running)
