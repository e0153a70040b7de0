"""A reader that asks at random versions without pause, and holds every answer against the model."""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Final, get_args

from kb.answers import Answer
from kb.base import KnowledgeBase
from kb.errors import Expired
from kb.nouns import Mode
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.passages import passages
from scripts.benchmarks.store_parts.publishing import open_made
from scripts.stresses.parts.history import History

EXACT_EVERY: Final = 40
"""Searches, of which one goes the exact way."""


class WrongAnswer(Exception):
    """An answer that the version cannot have given."""


def read(home: Path, size: int, until: float, seed: int) -> Counter[str]:
    """Searches until that moment (seconds since the epoch), but once at least; returns how many of what kind.

    Raises WrongAnswer, or whatever a search raises; a version that expired while it was asked for is no error.
    """
    chance, counts = random.Random(seed), Counter[str]()
    history = History(Corpus(passages(), size))
    with open_made(home) as base:
        while not counts or time.time() < until:
            kept = [snapshot.version for snapshot in base.log(None)]
            # Half of the time one of the newest: that is where the writer is at work.
            version = chance.choice(kept[:3] if chance.random() < 0.5 else kept)
            try:
                counts[_search(base, history, version, chance)] += 1
            except Expired:
                if version in {snapshot.version for snapshot in base.log(None)}:
                    raise
                counts["expired meanwhile"] += 1
    return counts


def _search(base: KnowledgeBase, history: History, version: int, chance: random.Random) -> str:
    """Asks for a text that the version brought, or for one that it ended; returns what was asked."""
    slot = chance.choice(list(history.changed(version)))
    ended = version > 1 and chance.random() < 0.5
    text = history.text(version - 1 if ended else version, slot)
    mode: Mode = chance.choice(get_args(Mode))
    exact = chance.randrange(EXACT_EVERY) == 0
    answer = base.search(text, as_of=version, mode=mode, exact=exact)
    check(history, answer, version)
    # By BM25 alone, a longer passage with the same words may come first.
    if not ended and mode != "bm25" and (not answer.hits or answer.hits[0].text != text):
        raise WrongAnswer(f"version {version} holds this text, but {mode} search does not find it first: {text[:80]!r}")
    return f"{mode}{', exact' if exact else ''}"


def check(history: History, answer: Answer, version: int) -> None:
    """Raises WrongAnswer where the answer or a hit of it is not of the version."""
    if answer.as_of.version != version:
        raise WrongAnswer(f"version {answer.as_of.version} answered in place of {version}")
    if not answer.hits:
        raise WrongAnswer(f"version {version} found nothing for {answer.query[:80]!r}")
    for hit in answer.hits:
        place = hit.provenance
        alive = place.since <= version and (place.until is None or place.until > version)
        if not alive or hit.text not in history.texts(version, place.uri):
            raise WrongAnswer(f"version {version} does not hold this text of {place.uri}: {hit.text[:80]!r}")
