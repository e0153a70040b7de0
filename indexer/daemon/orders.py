"""Syncs that somebody asked for and waits for: each is answered by a look that began after it was asked."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from indexer.outcome import Refusal, SyncReport, report
from indexer.sync import Synced
from kb.catalog import Catalog, scan
from kb.errors import ConfigError, SourceUnavailable


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
