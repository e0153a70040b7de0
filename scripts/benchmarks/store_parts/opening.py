"""What many versions cost: opening a knowledge base that has thousands of them, beside one that has one."""

import gc
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kb.base import KnowledgeBase
from kb.store.upkeep import IDLE
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.latency import Times, timed
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.publishing import Publisher, open_made

CHUNKS: Final = 1_000
"""Of both: small, so that it is the versions that count."""
_REPEATS: Final = 25


@dataclass(frozen=True, slots=True)
class Opening:
    """From a closed home to the head's snapshot, and to the first answer, with one version and with many."""

    versions: int
    head_of_one: Times
    head_of_many: Times
    answer_of_one: Times
    answer_of_many: Times


def measure(place: Path, corpus: Corpus, versions: int) -> Opening:
    """`corpus` gives the texts; each version after the first really is published, and changes one chunk."""
    with tempfile.TemporaryDirectory(dir=place) as directory:
        one, many = Path(directory) / "one", Path(directory) / "many"
        _make(one, corpus, 1)
        _make(many, corpus, versions)
        return Opening(versions, *_times(one, many))


def _times(one: Path, many: Path) -> list[Times]:
    """Of each action, with one version and with many, in turn."""
    actions: list[tuple[Path, Callable[[KnowledgeBase], object]]] = [
        (home, action) for action in (_head, _answer) for home in (one, many)
    ]
    taken: list[list[float]] = [[] for _ in actions]
    for turn in range(_REPEATS + 1):
        for times, (home, action) in zip(taken, actions, strict=True):
            spent = timed(lambda home=home, action=action: _opened(home, action))
            # The first turn imports modules and fills the system's caches.
            times += [spent] if turn else []
    return [Times(tuple(times)) for times in taken]


def diff(base: KnowledgeBase, before: int, after: int) -> dict[str, Times]:
    """Of two versions, by level, in turn."""
    times: dict[str, list[float]] = {"documents": [], "chunks": []}
    # What the benchmark itself holds is not to be looked through meanwhile.
    gc.collect()
    gc.freeze()
    for _ in range(_REPEATS):
        for level, taken in times.items():
            taken.append(timed(lambda level=level: base.diff(before, after, level=level)))
    return {level: Times(tuple(taken)) for level, taken in times.items()}


def _make(home: Path, corpus: Corpus, versions: int) -> None:
    publisher = Publisher(home, MadeEmbedder())
    counts = corpus.start()
    publisher.publish((document.uri, corpus.texts(document, counts)) for document in corpus.documents)
    for version in range(2, versions + 1):
        document = corpus.documents[version % len(corpus.documents)]
        counts[document.first] += 1
        publisher.publish([(document.uri, corpus.texts(document, counts))])
    publisher.store.upkeep(IDLE)
    publisher.close()


def _opened(home: Path, action: Callable[[KnowledgeBase], object]) -> None:
    with open_made(home) as base:
        action(base)


def _head(base: KnowledgeBase) -> object:
    return base.log(1)


def _answer(base: KnowledgeBase) -> object:
    return base.search("transmission of flow", as_of="head")
