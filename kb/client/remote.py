"""A knowledge base behind a URL: the reading verbs of `KnowledgeBase`, with the same signatures and answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import httpx

from kb.answers import Answer, Diff, Document, Shown, Status
from kb.client import verbs
from kb.client.address import headers, unreachable, url_of
from kb.client.call import Call, Pages, Row, Told
from kb.client.reply import read, rows
from kb.client.retries import Retries
from kb.comparison import Level
from kb.errors import UsageError
from kb.nouns import DocumentVersion, Expand, Mode, Snapshot, Source

AGAIN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""Failures that may pass. A reply that takes too long is not asked for again: that would make it worse."""


class RemoteBase:
    """May be used by several threads. Errors are those that the server raised, or Unreachable."""

    def __init__(
        self, http: httpx.Client, retries: Retries | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = http
        self._retries = retries or Retries()
        self._pause = pause

    def __enter__(self) -> "RemoteBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def search(
        self,
        query: str,
        *,
        as_of: str | int = "head",
        k: int = 10,
        mode: Mode = "hybrid",
        exact: bool = False,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        groups: Sequence[str] | None = None,
        budget_tokens: int | None = None,
        expand: Expand | None = None,
        per_document: int | None = None,
        rerank: str | None = None,
    ) -> Answer:
        settings = {"as_of": as_of, "k": k, "mode": mode, "exact": exact, "groups": groups}
        further = {"budget_tokens": budget_tokens, "expand": expand, "per_document": per_document, "rerank": rerank}
        return self._ask(verbs.search(query, filters, **settings, **further))

    def log(self, limit: int | None = 20, *, source: str | None = None) -> Sequence[Snapshot]:
        return self._list(verbs.log(limit, source))

    def show(self, reference: str | int = "head") -> Shown:
        return self._ask(verbs.show(reference))

    def diff(
        self,
        before: str | int,
        after: str | int = "head",
        *,
        level: Level = "documents",
        text: bool = False,
        queries: Sequence[str] = (),
    ) -> Diff:
        return self._ask(verbs.diff((before, after), level, text, queries))

    def documents(self, *, as_of: str | int = "head", source: str | None = None) -> Sequence[DocumentVersion]:
        return self._list(verbs.documents(as_of, source))

    def history(self, document: str) -> Sequence[DocumentVersion]:
        return self._list(verbs.history(document))

    def document(self, document: str, *, as_of: str | int = "head") -> Document:
        return self._ask(verbs.document(document, as_of))

    def tags(self) -> dict[str, int]:
        return self._ask(verbs.tags())

    def sources(self) -> Sequence[Source]:
        return self._list(verbs.sources())

    def source(self, name: str) -> Source:
        return self._ask(verbs.source(name))

    def status(self) -> Status:
        return self._ask(verbs.status())

    def _ask(self, call: Call[Told]) -> Told:
        for tries in count(1):
            try:
                found = self._http.request(call.method, call.target, content=call.body, headers=headers(call))
                pause_s = self._retries.after_reply(tries, found.status_code, found.headers.get("retry-after"))
                if pause_s is None:
                    return read(call, found.status_code, found.content)
            except httpx.HTTPError as error:
                pause_s = self._retries.after_failure(tries) if isinstance(error, AGAIN) else None
                if pause_s is None:
                    raise unreachable(self._http.base_url, error) from error
            self._pause(pause_s)
        raise AssertionError("tries have no end")

    def _list(self, pages: Pages[Row]) -> list[Row]:
        found: list[Row] = []
        cursor: str | None = None
        while True:
            more, cursor = rows(pages, self._ask(pages.page(len(found), cursor)))
            found += more
            # An empty page is the last, whatever it says: who asks must come to an end.
            if not more or pages.whole(len(found), cursor):
                return found[: pages.limit]


def connect(
    url: str, token: str | None = None, *, timeout_s: float = 60.0, retries: Retries | None = None
) -> RemoteBase:
    """The knowledge base that a server reads. Raises UsageError for what is no URL; nothing is sent yet."""
    return RemoteBase(httpx.Client(**settings(url, token, timeout_s)), retries)


def settings(url: str, token: str | None, timeout_s: float) -> dict[str, Any]:
    if token is not None and (not token.isascii() or not token.isprintable() or token != token.strip() or not token):
        raise UsageError("that is no token: a token is printable ASCII, as it was shown when it was made")
    authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
    return {"base_url": url_of(url), "headers": authorization, "timeout": httpx.Timeout(timeout_s, connect=5.0)}
