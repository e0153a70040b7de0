"""Syncs that somebody asked for and waits for: each is answered by a look that began after it was asked."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from indexer.outcome import Refusal, SyncReport, report
from indexer.sync import Synced
from kb.catalog import Catalog, scan
from kb.errors import ConfigError, Interrupted, SourceUnavailable


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

    def answer(self, looked: Looked) -> None:
        """The first answer counts."""
        with suppress(InvalidStateError):
            self.looked.set_result(looked)


def report_of(catalog: Catalog, looked: Mapping[str, Looked]) -> SyncReport:
    """What `kb sync` tells. Raises what else than a source's own trouble ended a look."""
    refused = []
    for name, one in looked.items():
        if isinstance(one.error, SourceUnavailable | ConfigError):
            refused.append(Refusal(name, str(one.error)))
        elif one.error is not None:
            raise one.error
    with catalog.reading() as connection:
        quarantined = [found for name in looked for found in scan.quarantined(connection, name)]
    return report(None, [one.synced for one in looked.values()], refused, quarantined)


class Orders:
    """By source. For any number of threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Order]] = {}
        self._taken: dict[str, list[Order]] = {}
        self._changing = threading.Lock()
        self._closed = False

    def add(self, name: str, order: Order) -> None:
        """Raises Interrupted once closed."""
        with self._changing:
            if self._closed:
                raise _stopped()
            # From here on whoever waits may go away, but cannot cancel it.
            order.looked.set_running_or_notify_cancel()
            self._waiting.setdefault(name, []).append(order)

    def take(self, name: str) -> Sequence[Order]:
        """Those for the look that begins now."""
        with self._changing:
            taken = self._taken[name] = self._waiting.pop(name, [])
            return taken

    def close(self) -> None:
        """Answers all that nobody has answered."""
        with self._changing:
            self._closed = True
            left = [*self._waiting.values(), *self._taken.values()]
        for order in (order for orders in left for order in orders):
            order.answer(Looked(Synced(), _stopped()))

    def names(self) -> frozenset[str]:
        with self._changing:
            return frozenset(self._waiting)


def _stopped() -> Interrupted:
    return Interrupted("the daemon was stopped: sync again")
