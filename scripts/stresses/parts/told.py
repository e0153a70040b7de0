"""What a version answers, whole: its documents, their texts, and its hits with scores and provenance."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kb.base import KnowledgeBase
from kb.nouns import FOREVER, Hit

MODES: Sequence[Any] = ("hybrid", "dense", "bm25")


class Broken(Exception):
    """A promise that does not hold; the text says which."""


def told(base: KnowledgeBase, version: int, query: str, k: int = 20) -> dict[str, Any]:
    """Without what later versions add to it: where a life span ends."""
    documents = base.documents(as_of=version)
    layouts = base.store.texts.get(document.layout for document in documents)
    return {
        "documents": [replace(document, until=FOREVER) for document in documents],
        "texts": {document.uri: layouts[document.layout].text for document in documents},
        **{mode: lasting(base.search(query, as_of=version, mode=mode, k=k, exact=True).hits) for mode in MODES},
        "default": lasting(base.search(query, as_of=version, k=k).hits),
    }


def otherwise(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The parts of an answer that are not as promised: of the default way 9 of the top 10, of all else everything.

    By the default way, which chunks are looked at hangs on the indexes, and so at its edge a hit's rank on one side.
    """
    found = [part for part in after if part != "default" and after[part] != before[part]]
    best = [{hit.chunk_id for hit in told["default"][:10]} for told in (before, after)]
    return found + ["default"] * (len(best[0] & best[1]) < 0.9 * max(map(len, best)))


def lasting(hits: Sequence[Hit]) -> list[Hit]:
    return [
        replace(
            hit,
            provenance=replace(hit.provenance, until=None),
            also=tuple(replace(place, until=None) for place in hit.also),
        )
        for hit in hits
    ]


def must(holds: bool, promise: str) -> None:
    """Raises Broken."""
    if not holds:
        raise Broken(promise)


def outcome(name: str, stress: Callable[[], None]) -> int:
    """The stress's exit code; a promise that it finds broken is told in one line."""
    try:
        stress()
    except Broken as error:
        print(f"stress {name}: {error}", file=sys.stderr)
        return 1
    return 0
