"""Callers in a process of their own, each with a connection that it keeps: how many replies, and how long each took."""

import http.client
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from scripts.benchmarks.store_parts.latency import Throughput, Times


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is asked, and what: the bodies in turn."""

    url: str
    bodies: Sequence[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


def ask(target: Target, callers: int, seconds: float) -> Throughput:
    """Raises RuntimeError for any reply but 200."""
    return _process().submit(_ask, target, callers, seconds).result()


@cache
def _process() -> ProcessPoolExecutor:
    """Started once: that takes longer than some measurements."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _ask(target: Target, callers: int, seconds: float) -> Throughput:
    with ThreadPoolExecutor(callers) as threads:
        began = time.perf_counter()
        until = began + seconds
        taken = list(threads.map(lambda place: _call(target, place, callers, until), range(callers)))
        spent_s = time.perf_counter() - began
    times = [took for one in taken for took in one]
    return Throughput(callers, len(times) / spent_s, Times(tuple(times)))


def _call(target: Target, place: int, callers: int, until: float) -> list[float]:
    """Milliseconds of each request of one caller: one at least."""
    url = urlsplit(target.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=120)
    headers = {"Content-Type": "application/json", **target.headers}
    taken: list[float] = []
    while not taken or time.perf_counter() < until:
        body = target.bodies[(place + len(taken) * callers) % len(target.bodies)]
        began = time.perf_counter()
        connection.request("POST", url.path, body, headers)
        found = connection.getresponse()
        content = found.read()
        taken.append((time.perf_counter() - began) * 1000)
        if found.status != 200:
            raise RuntimeError(f"{target.url} answered {found.status}: {content[:200]!r}")
    connection.close()
    return taken
