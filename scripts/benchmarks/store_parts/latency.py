"""How long answers take: contenders are asked in turn, question by question, so that a busy moment strikes them all."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from kb.base import KnowledgeBase

_WARM_UP: Final = 3
"""Questions asked before any is timed."""

Asking = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, in the order they were taken."""

    taken: tuple[float, ...]

    @property
    def p50(self) -> float:
        return float(np.percentile(self.taken, 50))

    @property
    def p99(self) -> float:
        return float(np.percentile(self.taken, 99))


@dataclass(frozen=True, slots=True)
class Throughput:
    callers: int
    per_second: float
    times: Times


def in_turn(contenders: Mapping[str, Asking], questions: Sequence[str], most_s: float) -> dict[str, Times]:
    """Times of each contender. One that has spent `most_s` seconds is asked no more: the others do not wait for it."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for name, ask in contenders.items():
        _warm_up(ask, questions, most_s)
        taken[name].clear()
    order = random.Random(0)
    for question in questions:
        # In another order each time: what follows a slow one finds cold caches.
        for name in order.sample(list(contenders), len(contenders)):
            if sum(taken[name]) < most_s * 1000:
                taken[name].append(timed(lambda name=name, question=question: contenders[name](question)))
    return {name: Times(tuple(times)) for name, times in taken.items()}


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def searcher(base: KnowledgeBase, version: int, *, exact: bool = False) -> Asking:
    """Hybrid search of Palimpsest as of a version."""
    return lambda question: base.search(question, as_of=version, exact=exact)


def concurrent(base: KnowledgeBase, versions: Sequence[int], questions: Sequence[str], callers: int) -> Throughput:
    """All questions, asked by so many threads at once, each as of one of the versions in turn."""
    asked = [(question, versions[place % len(versions)]) for place, question in enumerate(questions)]
    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as threads:
        taken = list(threads.map(lambda pair: timed(lambda: base.search(pair[0], as_of=pair[1])), asked))
    return Throughput(callers, len(asked) / (time.perf_counter() - began), Times(tuple(taken)))


def _warm_up(ask: Asking, questions: Sequence[str], most_s: float) -> None:
    began = time.perf_counter()
    for question in questions[:_WARM_UP]:
        if time.perf_counter() - began < most_s / 4:
            ask(question)
