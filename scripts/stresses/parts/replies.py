"""Whether replies are what the versions that they name can have given, and whether the request log has them all."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import kb
from kb.answers import Answer, Document
from kb.base import KnowledgeBase
from kb.requests import LoggedHit
from scripts.stresses.parts.crowd import Reply
from scripts.stresses.parts.shelves import CALLERS, Texts, visible
from scripts.stresses.parts.told import lasting, must

COMPARED: Final = 400
"""Exact answers that are asked again from the library."""


def consistent(replies: Iterable[Reply], texts: Callable[[int], Texts]) -> None:
    """Every text stands in its version, every hit is of the version, and nobody sees what is hidden from it."""
    for reply in replies:
        if isinstance(reply.answer, Document):
            _document(reply, reply.answer, texts)
        else:
            _search(reply, reply.answer, texts)


def _document(reply: Reply, answer: Document, texts: Callable[[int], Texts]) -> None:
    version, found = answer.as_of.version, answer.version
    must(found.source in visible(reply.caller), f"{reply.caller} reads {found.source}:{found.uri}")
    must(texts(version)[found.source].get(found.uri) == answer.text, f"{found.uri} was another in version {version}")


def _search(reply: Reply, answer: Answer, texts: Callable[[int], Texts]) -> None:
    version, asked = answer.as_of.version, reply.asked.get("as_of")
    if asked is not None:
        same = version == asked if CALLERS[reply.caller][0] == "auditor" else version <= asked
        must(same, f"version {version} answered {reply.caller} in place of {asked}")
    for hit in answer.hits:
        for place in (hit.provenance, *hit.also):
            must(place.source in visible(reply.caller), f"{reply.caller} finds {place.source}:{place.uri}")
            alive = place.since <= version and (place.until is None or place.until > version)
            must(alive, f"a hit of version {version} lives from {place.since} to {place.until}")
            text = texts(version)[place.source].get(place.uri, "")
            must(
                text[place.start : place.end] == hit.text, f"version {version} has no {hit.text[:60]!r} in {place.uri}"
            )


def as_the_library(base: KnowledgeBase, replies: Sequence[Reply]) -> int:
    """Asks exact searches again; returns how many."""
    exact = [reply for reply in replies if isinstance(reply.answer, Answer) and reply.asked.get("exact")][:COMPARED]
    for reply in exact:
        assert isinstance(reply.answer, Answer)
        role, groups = CALLERS[reply.caller]
        asker = base if role == "auditor" else base.seen_by(groups)
        again = asker.search(**{**reply.asked, "as_of": reply.answer.as_of.version})
        same = lasting(again.hits) == lasting(reply.answer.hits)
        must(same, f"the library answers {reply.asked} of version {reply.answer.as_of.version} otherwise")
    return len(exact)


def logged(home: Path, replies: Iterable[Reply]) -> int:
    """Each search that was answered stands in the request log with its hits, and every row is whole; returns how many.

    To be called while nobody writes.
    """
    whole = {}
    with kb.open(home) as base:
        for request_id in _ids(home):
            found = base.request(request_id)
            must(all(isinstance(hit, LoggedHit) and hit.chunk_id for hit in found.hits), f"{request_id} is not whole")
            must(bool(found.caller) and found.version > 0, f"{request_id} is not whole")
            whole[request_id] = found
    for reply in replies:
        if isinstance(reply.answer, Answer):
            line = whole.get(reply.answer.request_id)
            must(line is not None, f"an answered search is not in the log: {reply.answer.request_id}")
            assert line is not None
            chunks = [hit.chunk_id for hit in line.hits]
            same = chunks == [hit.chunk_id for hit in reply.answer.hits] and line.caller == reply.caller
            must(same and line.version == reply.answer.as_of.version, f"{line.request_id} is logged otherwise")
    return len(whole)


def _ids(home: Path) -> list[str]:
    connection = sqlite3.connect(home / "catalog.sqlite")
    try:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        must(verdict == "ok", f"the catalog is damaged: {verdict}")
        return [row[0] for row in connection.execute("SELECT request_id FROM request")]
    finally:
        connection.close()
