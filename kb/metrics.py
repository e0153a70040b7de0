"""How a knowledge base and its sources stand, as Prometheus reads it. The one door to prometheus_client."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import CollectorRegistry

from kb import duration
from kb.answers import SourceStatus, Status
from kb.base import KnowledgeBase

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(base: KnowledgeBase) -> str:
    """The state as the catalog has it, and then what this process counted."""
    registry = CollectorRegistry()
    registry.register(_Standing(base.status(), base.unlogged))
    return str((generate_latest(registry) + generate_latest(REGISTRY)).decode("utf-8"))


class _Standing:
    def __init__(self, status: Status, unlogged: int) -> None:
        self._status = status
        self._unlogged = unlogged

    def collect(self) -> Iterator[Any]:
        yield GaugeMetricFamily("kb_head_version", "Newest version.", self._status.head)
        yield GaugeMetricFamily("kb_documents", "Documents at the head.", self._status.documents)
        yield GaugeMetricFamily("kb_chunks", "Chunks at the head.", self._status.chunks)
        yield GaugeMetricFamily("kb_store_bytes", "Bytes of the store.", self._status.store_bytes)
        yield GaugeMetricFamily("kb_requests_unlogged", "Searches that are not in the request log.", self._unlogged)
        yield from self._sources()

    def _sources(self) -> Iterator[Any]:
        gauges: dict[str, tuple[str, Callable[[SourceStatus], float | None]]] = {
            "documents": ("Documents of the source at the head.", lambda one: one.documents),
            "lag_seconds": ("Age of what is known of the source.", lambda one: one.lag_s),
            "fresh_within_seconds": ("How old that may be.", _target),
            "stale": ("1 where it is older.", lambda one: one.stale),
            "failures": ("Failures in a row.", lambda one: one.failures),
            "circuit_open": ("1 while it is hardly tried any more.", lambda one: one.circuit == "open"),
            "guard_tripped": ("1 while the guard against deletions holds a sync back.", lambda one: one.guarded),
            "last_change_timestamp_seconds": ("When a change was last seen.", lambda one: _moment(one.changed_at)),
            "last_publish_timestamp_seconds": ("When it was last published.", lambda one: _moment(one.last_published)),
        }
        for name, (help_, value) in gauges.items():
            family = GaugeMetricFamily(f"kb_source_{name}", help_, labels=["source"])
            for one in self._status.sources:
                if (number := value(one)) is not None:
                    family.add_metric([one.source.name], float(number))
            yield family
        quarantined = GaugeMetricFamily("kb_source_quarantined", "Documents by reason.", labels=["source", "reason"])
        for one in self._status.sources:
            for reason, count in one.quarantine.items():
                quarantined.add_metric([one.source.name, reason], count)
        yield quarantined


def _target(one: SourceStatus) -> int | None:
    return duration.seconds(one.source.fresh_within) if one.source.fresh_within else None


def _moment(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
