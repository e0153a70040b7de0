"""Requests of the log: how they are kept, who may see them, and what a replay finds that is not as it was."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from kb.access import Keys
from kb.answers import Answer
from kb.asker import Asker
from kb.catalog import Catalog, Connection, access, requests
from kb.errors import Expired, NotFound, UsageError
from kb.home import Config
from kb.requests import Feedback, GoneHit, LoggedHit, LoggedRequest, MovedHit, Replay

_ID: Final = re.compile(r"[0-9a-f]{32}")
LONGEST_WORDS: Final = 10_000
"""Characters of a passage or a comment in feedback."""


def logged(
    answer: Answer, settings: Mapping[str, Any], asker: Asker, config: Config, moment: datetime
) -> LoggedRequest:
    """The answer as the request log keeps it."""
    return LoggedRequest(
        request_id=answer.request_id,
        asked_at=moment,
        caller=asker.name,
        groups=asker.groups,
        query=answer.query if config.log_query_text else None,
        reference=answer.as_of.reference,
        version=answer.as_of.version,
        settings=json.loads(json.dumps(settings, default=_plain)),
        took_ms=answer.took_ms,
        timings=dict(answer.timings),
        hits=tuple(LoggedHit(hit.rank, hit.score, hit.chunk_id, hit.document_id) for hit in answer.hits),
    )


def _plain(value: Any) -> Any:
    """What JSON has no form for: NumPy's numbers, and collections of filters' values."""
    return value.item() if hasattr(value, "item") else list(value)


def own_request(connection: Connection, request_id: str, asker: Asker) -> LoggedRequest:
    """Raises NotFound for what is not the asker's to see, as for what never was."""
    found = requests.get(connection, request_id, asker.only) if _ID.fullmatch(request_id) else None
    if found is None:
        raise NotFound(f"there is no request {request_id[:64]!r}: it is not of this caller, or is kept no longer")
    return found


def seen_request(connection: Connection, request_id: str, asker: Asker) -> LoggedRequest:
    """The same, without hits that are hidden from the asker now."""
    found = own_request(connection, request_id, asker)
    closed = access.closed(connection, {hit.document_id for hit in found.hits}, asker.keys)
    return replace(found, hits=tuple(hit for hit in found.hits if hit.document_id not in closed))


def judged(feedback: Feedback) -> Feedback:
    """Raises UsageError for words that cannot be kept."""
    for name, words in (("passage", feedback.passage), ("comment", feedback.comment)):
        if words is not None and (len(words) > LONGEST_WORDS or not _is_text(words)):
            raise UsageError(f"{name} must be valid Unicode of at most {LONGEST_WORDS} characters")
    return feedback


def _is_text(words: str) -> bool:
    return "\0" not in words and not any("\ud800" <= character <= "\udfff" for character in words)


def replay(
    catalog: Catalog,
    found: LoggedRequest,
    as_of: str | int | None,
    keys: Keys,
    reader: Asker,
    answer: Callable[..., Answer],
) -> Replay:
    """The request asked again by `answer`, which sees what `keys` open; `reader` is told of it."""
    if found.query is None:
        return Replay(found.request_id, False, "the query's text was not kept: `log_query_text` is off", None)
    try:
        again = answer(found.query, found.version if as_of is None else as_of, **found.settings)
    except Expired as error:
        return Replay(found.request_id, False, str(error), None)
    with catalog.reading() as connection:
        closed = access.closed(connection, {hit.document_id for hit in found.hits}, keys)
    return compared(found, again, closed, reader)


def compared(logged: LoggedRequest, answer: Answer, closed: Collection[str], reader: Asker) -> Replay:
    """`closed` are those of the logged hits' documents that the asker may see no more."""
    gone = tuple(_gone(logged, answer, closed, reader))
    moved = tuple(_moved(logged, answer))
    answer = replace(answer, request_id=logged.request_id)
    return Replay(logged.request_id, not gone and not moved, None, answer, gone, moved)


def _gone(logged: LoggedRequest, answer: Answer, closed: Collection[str], reader: Asker) -> Iterator[GoneHit]:
    there = {hit.chunk_id for hit in answer.hits}
    for hit in logged.hits:
        if hit.chunk_id not in there:
            hidden = hit.document_id in closed
            named = None if hidden and reader.groups is not None else hit.chunk_id
            yield GoneHit(hit.rank, "hidden" if hidden else "absent", named)


def _moved(logged: LoggedRequest, answer: Answer) -> Iterator[MovedHit]:
    before = {hit.chunk_id: hit for hit in logged.hits}
    for hit in answer.hits:
        was = before.get(hit.chunk_id)
        if was is None:
            yield MovedHit(hit.chunk_id, hit.rank, hit.score, None, None)
        elif (was.rank, was.score) != (hit.rank, hit.score):
            yield MovedHit(hit.chunk_id, hit.rank, hit.score, was.rank, was.score)
