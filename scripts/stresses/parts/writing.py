"""The writer beside which readers read: commits, upkeep and retention, one after the other without pause."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from kb.store.upkeep import NONE
from scripts.benchmarks.store_parts.building import texts_of
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.publishing import Publisher, open_made

UPKEEP_EVERY: Final = 8
RETAIN_EVERY: Final = 20
KEPT: Final = 30
"""Versions that retention leaves."""
GRACE: Final = timedelta(seconds=10)
"""Longer than any of these readers' reads; the usual one would let nothing go in two minutes."""


class HistoryWriter:
    """Publishes the corpus, then step after step of its history."""

    def __init__(self, home: Path, corpus: Corpus) -> None:
        self._home = home
        self._corpus = corpus
        self._counts = corpus.start()
        self._publisher = Publisher(home, MadeEmbedder())
        self._publisher.publish(texts_of(corpus, self._counts, range(len(corpus.documents))))

    def write(self, until: float, disturbed: Callable[[], bool]) -> Counter[str]:
        """Works until that moment, one commit at least, or until it is disturbed; returns how often it did what."""
        did = Counter[str]()
        while (not did or time.time() < until) and not disturbed():
            did["commits"] += 1
            self._commit(did["commits"])
            if did["commits"] % UPKEEP_EVERY == 0:
                self._publisher.store.upkeep(NONE, GRACE)
                did["upkeep"] += 1
            if did["commits"] % RETAIN_EVERY == 0:
                retain(self._home)
                did["retention"] += 1
        self._publisher.close()
        return did

    def _commit(self, number: int) -> None:
        step = self._corpus.step(number)
        self._counts[step.slots] += 1
        self._publisher.publish(texts_of(self._corpus, self._counts, list(step.edits)))


def retain(home: Path) -> None:
    """Lets all but the last versions expire."""
    from kb.retention import Policy

    with open_made(home) as base:
        base.retain(Policy(last=KEPT))
