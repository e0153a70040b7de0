"""Syncs that somebody asked for and waits for: each is answered by a look that began after it was asked."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from indexer.sync import Synced


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one source came to; `error` is why it went no further."""

    synced: Synced
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Order:
    message: str | None = None
    allow_deletes: bool = False
    looked: "Future[Looked]" = field(default_factory=Future)


class Orders:
    """By source. For any number of threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Order]] = {}
        self._changing = threading.Lock()

    def add(self, name: str, order: Order) -> None:
        with self._changing:
            self._waiting.setdefault(name, []).append(order)

    def take(self, name: str) -> Sequence[Order]:
        with self._changing:
            return self._waiting.pop(name, [])

    def take_all(self) -> Sequence[Order]:
        return [order for name in self.names() for order in self.take(name)]

    def names(self) -> frozenset[str]:
        with self._changing:
            return frozenset(self._waiting)
