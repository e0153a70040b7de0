"""The same as `kb.client.remote`, for programs of many coroutines: every verb is awaited."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count

import httpx

from kb.answers import Answer, Diff, Document, Shown, Status
from kb.client import verbs
from kb.client.address import headers, unreachable
from kb.client.call import Call, Pages, Row, Told
from kb.client.remote import AGAIN, settings
from kb.client.reply import read, rows
from kb.client.retries import Retries
from kb.comparison import Level
from kb.nouns import DocumentVersion, Expand, Mode, Snapshot, Source


class AsyncRemoteBase:
    """May be used by several threads. Errors are those that the server raised, or Unreachable."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        retries: Retries | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._retries = retries or Retries()
        self._pause = pause

    async def __aenter__(self) -> "AsyncRemoteBase":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def search(
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
        return await self._ask(verbs.search(query, filters, **settings, **further))

    async def log(self, limit: int | None = 20, *, source: str | None = None) -> Sequence[Snapshot]:
        return await self._list(verbs.log(limit, source))

    async def show(self, reference: str | int = "head") -> Shown:
        return await self._ask(verbs.show(reference))

    async def diff(
        self,
        before: str | int,
        after: str | int = "head",
        *,
        level: Level = "documents",
        text: bool = False,
        queries: Sequence[str] = (),
    ) -> Diff:
        return await self._ask(verbs.diff((before, after), level, text, queries))

    async def documents(self, *, as_of: str | int = "head", source: str | None = None) -> Sequence[DocumentVersion]:
        return await self._list(verbs.documents(as_of, source))

    async def history(self, document: str) -> Sequence[DocumentVersion]:
        return await self._list(verbs.history(document))

    async def document(self, document: str, *, as_of: str | int = "head") -> Document:
        return await self._ask(verbs.document(document, as_of))

    async def tags(self) -> dict[str, int]:
        return await self._ask(verbs.tags())

    async def sources(self) -> Sequence[Source]:
        return await self._list(verbs.sources())

    async def source(self, name: str) -> Source:
        return await self._ask(verbs.source(name))

    async def status(self) -> Status:
        return await self._ask(verbs.status())

    async def _ask(self, call: Call[Told]) -> Told:
        for tries in count(1):
            try:
                found = await self._http.request(call.method, call.target, content=call.body, headers=headers(call))
                pause_s = self._retries.after_reply(tries, found.status_code, found.headers.get("retry-after"))
                if pause_s is None:
                    return read(call, found.status_code, found.content)
            except httpx.HTTPError as error:
                pause_s = self._retries.after_failure(tries) if isinstance(error, AGAIN) else None
                if pause_s is None:
                    raise unreachable(self._http.base_url, error) from error
            await self._pause(pause_s)
        raise AssertionError("tries have no end")

    async def _list(self, pages: Pages[Row]) -> list[Row]:
        found: list[Row] = []
        cursor: str | None = None
        while True:
            more, cursor = rows(pages, await self._ask(pages.page(len(found), cursor)))
            found += more
            # An empty page is the last, whatever it says: who asks must come to an end.
            if not more or pages.whole(len(found), cursor):
                return found[: pages.limit]


def connect_async(
    url: str, token: str | None = None, *, timeout_s: float = 60.0, retries: Retries | None = None
) -> AsyncRemoteBase:
    """Like `connect`. Raises UsageError for what is no URL; nothing is sent yet."""
    return AsyncRemoteBase(httpx.AsyncClient(**settings(url, token, timeout_s)), retries)
