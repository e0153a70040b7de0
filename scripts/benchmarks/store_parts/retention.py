"""What retention gives back: the knowledge base thinned to its last versions, beside those versions built afresh."""

import shutil
from pathlib import Path
from typing import Final

from kb.home import open_home
from scripts.benchmarks.store_parts.building import texts_of
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.disk import Sizes, settled
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.publishing import Publisher, open_made

LAST: Final = 10


def retain(home: Path) -> None:
    """Lets all but the last versions expire."""
    from kb.retention import Policy

    with open_made(home) as base:
        base.retain(Policy(last=LAST))


def fresh(place: Path, corpus: Corpus, commits: int) -> Sizes:
    """The size of a knowledge base that holds the last versions and nothing before."""
    publisher = Publisher(place, MadeEmbedder())
    first = commits + 1 - LAST
    counts = corpus.at(first)
    publisher.publish(texts_of(corpus, counts, range(len(corpus.documents))))
    for number in range(first + 1, commits + 1):
        step = corpus.step(number)
        counts[step.slots] += 1
        publisher.publish(texts_of(corpus, counts, list(step.edits)))
    publisher.close()
    return settled(publisher.home)


def thinned(home: Path, place: Path) -> Sizes:
    """The size of a copy of the knowledge base after retention."""
    shutil.copytree(home, place)
    retain(place)
    return settled(open_home(place))
