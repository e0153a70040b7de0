"""All that a caller can ask of a knowledge base, and its answers made comparable with those of another one."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kb.answers import plain
from kb.base import KnowledgeBase
from kb.errors import KBError

NUMBERS = {"version", "since", "until", "parent", "from", "to", "compared_with", "head"}
"""What is called so is a version."""
OF_THE_MOMENT = {
    "request_id",
    "reference",
    "took_ms",
    "timings",
    "first_seen",
    "last_seen",
    "committed_at",
    "lag_s",
    "last_run",
    "last_published",
    "changed_at",
    "created_at",
}


def asked(
    base: KnowledgeBase, versions: Sequence[int], sources: Sequence[str], uris: Sequence[str], queries: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """What was asked, versions by their place among the caller's own, and the answer or the error."""

    def ask(name: str, verb: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[str, Any]:
        try:
            return name, plain(verb(*arguments, **named))
        except KBError as error:
            return name, f"{type(error).__name__}: {error}"

    yield ask("tags", lambda: [{"name": name, "version": version} for name, version in base.tags().items()])
    for verb in (base.log, base.sources, base.quarantine, base.status, base.verify, base.documents):
        yield ask(verb.__name__, verb)
    for source in sources:
        for verb in (base.source, base.quarantine):
            yield ask(f"{verb.__name__} {source}", verb, source)
        yield ask(f"log {source}", base.log, source=source)
        yield ask(f"documents {source}", base.documents, source=source)
        for state in ("2000-01-01", "2999-01-01", "abcd", "abcdef"):
            yield ask(f"{source}@{state}", base.show, f"{source}@{state}")
    for reference in ("head", "head~99", "2999-01-01", "1999-01-01", "nothing", "tga", 99_999):
        yield ask(f"show {reference}", base.show, reference)
    for place, version in list(enumerate(versions))[:: max(1, len(versions) - 1)]:
        yield ask(f"show {place}", base.show, version)
        yield ask(f"documents {place}", base.documents, as_of=version)
        for level in ("documents", "chunks"):
            yield ask(f"diff {place} {level}", base.diff, versions[0], version, level=level)
        yield ask(f"diff {place} results", base.diff, versions[0], version, level="results", queries=queries)
        yield ask(f"diff {place} text", base.diff, versions[0], version, text=True)
        for uri in uris:
            yield ask(f"document {uri} {place}", base.document, uri, as_of=version)
        for query in queries:
            for options in SEARCHES:
                yield ask(f"search {query} {place} {options}", base.search, query, as_of=version, **options)
    for place, version in enumerate(versions):
        yield ask(f"search at {place}", base.search, queries[0], as_of=version)
    for uri in uris:
        yield ask(f"history {uri}", base.history, uri)


SEARCHES: tuple[Mapping[str, Any], ...] = (
    {"k": 100},
    {"k": 100, "exact": True},
    {"k": 2, "mode": "bm25"},
    {"k": 3, "mode": "dense"},
    {"k": 100, "filters": {"team": "red"}},
    {"filters": {"secret": "x"}},
    {"filters": {"secrt": "x"}},
    {"filters": {"source": "vault"}},
    {"filters": {"source": "shelf", "section": "*"}},
    {"filters": {"modified_after": "2000-01-01"}},
)


def comparable(answer: Any, places: Mapping[int, int]) -> Any:
    """The answer with its versions told by their place, and without what is of the moment alone."""
    if isinstance(answer, dict):
        return {
            name: _placed(part, places) if name in NUMBERS else comparable(part, places)
            for name, part in answer.items()
            if name not in OF_THE_MOMENT
        }
    if isinstance(answer, list):
        return [comparable(part, places) for part in answer]
    if isinstance(answer, str) and ": " in answer:
        return re.sub(
            r"(newest is|version) (\d+)", lambda found: f"{found[1]} {_placed(int(found[2]), places)}", answer
        )
    return round(answer, 9) if isinstance(answer, float) else answer


def _placed(part: Any, places: Mapping[int, int]) -> Any:
    return f"#{places[part]}" if isinstance(part, int) and part in places else comparable(part, places)
