"""What every retriever does: asks a knowledge base of whatever kind, and tells of a hit where it comes from."""

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kb.answers import Answer, plain
from kb.errors import UsageError
from kb.nouns import Hit, Mode


@dataclass(frozen=True, slots=True)
class Settings:
    """As the search has them."""

    as_of: str | int
    k: int
    mode: Mode
    exact: bool
    filters: Mapping[str, str | Sequence[str]] | None


def search(base: Any, query: str, settings: Settings) -> Answer:
    """Raises UsageError for a knowledge base that can only be awaited."""
    if inspect.iscoroutinefunction(base.search):
        raise UsageError("this knowledge base is awaited: await the retriever, too, or connect with kb.connect")
    found: Answer = _ask(base, query, settings)()
    return found


async def search_async(base: Any, query: str, settings: Settings) -> Answer:
    ask = _ask(base, query, settings)
    found: Answer = await ask() if inspect.iscoroutinefunction(base.search) else await asyncio.to_thread(ask)
    return found


def metadata(hit: Hit) -> dict[str, Any]:
    """The provenance, as JSON can hold it, with the parts of the score and the document's id."""
    return {
        **plain(hit.provenance),
        "document_id": hit.document_id,
        "rank": hit.rank,
        "score": hit.score,
        "scores": plain(hit.scores),
    }


def _ask(base: Any, query: str, settings: Settings) -> "partial[Any]":
    return partial(
        base.search,
        query,
        as_of=settings.as_of,
        k=settings.k,
        mode=settings.mode,
        exact=settings.exact,
        filters=settings.filters,
    )
