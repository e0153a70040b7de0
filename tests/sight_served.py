"""All that a caller with a key can ask a server: by both clients, by the routes themselves, and by agents' tools."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import wraps
from typing import Any
from urllib.parse import quote

import httpx
from sight_support import NUMBERS, asked, comparable

import kb
from kb.client.remote import RemoteBase
from kb.client.remote_async import AsyncRemoteBase

_FURTHER = {"timings", "asked_at", "given_at", "next"}
"""Of the moment, or opaque."""
_ID = re.compile(r"kb://(\d+)/")


class Connected:
    """A client with the verbs that the library alone has, which say nothing."""

    def __init__(self, base: RemoteBase) -> None:
        self._base = base

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)

    def quarantine(self, *_: Any) -> None:
        return None

    def verify(self) -> None:
        return None


def by_client(url: str, token: str, versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The library's questions, asked through `kb.connect`."""
    with kb.connect(url, token) as base:
        found = asked(Connected(base), versions, world["sources"], world["uris"], world["queries"])  # type: ignore[arg-type]
        return {name: comparable_reply(answer, versions) for name, answer in found}


class Awaited:
    """The verbs of a client whose verbs are awaited, each waited for."""

    def __init__(self, base: AsyncRemoteBase, runner: asyncio.Runner) -> None:
        self._base = base
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._base, name)

        @wraps(verb)
        def waited(*arguments: Any, **named: Any) -> Any:
            return self._runner.run(verb(*arguments, **named))

        return waited


def by_awaited_client(
    url: str, token: str, versions: Sequence[int], world: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The same through `kb.connect_async`."""
    with asyncio.Runner() as runner:
        base = kb.connect_async(url, token)
        awaited = Connected(Awaited(base, runner))  # type: ignore[arg-type]
        found = asked(awaited, versions, world["sources"], world["uris"], world["queries"])  # type: ignore[arg-type]
        told = {name: comparable_reply(answer, versions) for name, answer in found}
        runner.run(base.close())
    return told


def by_routes(url: str, token: str, versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Status, version and content of every route; lists are followed page by page."""
    found = {}
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        for name, path in _paths(versions, world):
            pages = list(_pages(http, path))
            found[name] = [len(pages), *(_told(page, versions) for page in pages)]
        for name, path, body in _posts(versions, world):
            reply = http.post(path, json=body)
            found[name] = _told(reply, versions)
            if name == "search head":
                request = reply.json()["request_id"]
                found["request"] = _told(http.get(f"/v1/requests/{request}"), versions)
                found["replay"] = _told(http.post(f"/v1/requests/{request}/replay"), versions)
                found["replay at head"] = _told(http.post(f"/v1/requests/{request}/replay?as_of=head"), versions)
                judged = http.post("/v1/feedback", json={"request_id": request, "useful": True})
                found["feedback"] = _told(judged, versions)
                found["all feedback"] = _told(http.get("/v1/feedback"), versions)
    return found


def _paths(versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    lists = ("snapshots", "tags", "status", "sources", "documents", "snapshots?limit=1", "documents?limit=1")
    yield from ((name, f"/v1/{name}") for name in (*lists, "requests/0123456789abcdef0123456789abcdef"))
    yield "metrics", "/metrics"
    for source in world["sources"]:
        for path in (f"sources/{source}", f"snapshots?source={source}", f"documents?source={source}"):
            yield path, f"/v1/{path}"
    for place, version in enumerate(versions):
        yield f"snapshot {place}", f"/v1/snapshots/{version}"
        yield f"diff {place}", f"/v1/diff?from={versions[0]}&to={version}&level=chunks"
        yield f"diff from {place}", f"/v1/diff?from={version}&to=head&text=true"
        yield f"documents {place}", f"/v1/documents?as_of={version}&limit=1"
    for uri in world["uris"]:
        yield f"document {uri}", f"/v1/documents/{quote(uri, safe='')}"
        yield f"history {uri}", f"/v1/documents/{quote(uri, safe='')}/history?limit=1"


def _posts(versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, Any]]:
    (query, *_) = world["queries"]
    for reference in ("head", *versions[-1:], "2999-01-01"):
        body = {"query": query, "as_of": reference, "k": 50, "expand": "section", "budget_tokens": 200}
        yield f"search {'head' if reference == 'head' else 'newest'} {type(reference)}", "/v1/search", body
    yield "search head", "/v1/search", {"query": query, "k": 100, "exact": True}
    for store in ("head", *world["sources"]):
        yield f"store {store}", f"/v1/vector_stores/{store}/search", {"query": [query, "salary"], "max_num_results": 50}


def _pages(http: httpx.Client, path: str) -> Iterator[httpx.Response]:
    following: str | None = ""
    while following is not None:
        page = http.get(path + (f"{'&' if '?' in path else '?'}cursor={following}" if following else ""))
        yield page
        told = page.json() if page.headers["content-type"] == "application/json" else None
        following = told.get("next") if isinstance(told, dict) else None


def _told(reply: httpx.Response, versions: Sequence[int]) -> Any:
    content: Any = reply.json() if "json" in reply.headers["content-type"] else reply.text
    if reply.status_code >= 400 and isinstance(content, dict):
        content = f"{content['title']}: {content['detail']}"
    if reply.url.path == "/v1/tags" and reply.status_code == 200:
        content = [{"name": name, "version": number} for name, number in content.items()]
    version = int(reply.headers["kb-version"]) if "kb-version" in reply.headers else None
    return comparable_reply({"status_code": reply.status_code, "version": version, "content": content}, versions)


def by_tools(url: str, token: str, versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What agents get, tool by tool."""
    found = {}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
        for name, method, parameters in _calls(versions, world):
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
            reply = http.post("/mcp", json=body).json()
            found[name] = comparable_reply(_spoken(reply), versions)
    return found


def _calls(versions: Sequence[int], world: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, Any]]:
    def tool(name: str, **arguments: Any) -> Any:
        return {"name": name, "arguments": arguments}

    yield "tools", "tools/list", {}
    yield "versions", "tools/call", tool("list_versions")
    for source in world["sources"]:
        yield f"versions of {source}", "tools/call", tool("list_versions", source=source)
    for place, version in [*enumerate(map(str, versions)), ("head", "head")]:
        for query in world["queries"]:
            yield f"search {query} {place}", "tools/call", tool("search", query=query, as_of=version, k=50)
        for level in ("documents", "chunks", "results"):
            ends = {"before": str(versions[0]), "after": version}
            asked_ = tool("diff_versions", **ends, level=level, queries=world["queries"])
            yield f"diff {place} {level}", "tools/call", asked_
        for source, uri in (uri.split(":") for uri in world["uris"] if ":" in uri):
            id_ = f"kb://{version}/{source}/{uri}"
            yield f"fetch {place} {source} {uri}", "tools/call", tool("fetch", id=id_)
            yield f"read {place} {source} {uri}", "resources/read", {"uri": id_}
    for uri in world["uris"]:
        yield f"history {uri}", "tools/call", tool("document_history", document=uri)


def _spoken(reply: Any) -> Any:
    if "error" in reply:
        return f"error: {reply['error']['message']}"
    result = reply["result"]
    if result.get("isError"):
        return f"error: {result['content'][0]['text']}"
    # The text is the same once more.
    return result.get("structuredContent", result)


def comparable_reply(answer: Any, versions: Sequence[int]) -> Any:
    """As `comparable` has it, with the versions in agents' ids told by their place, too."""
    places = {version: place for place, version in enumerate(versions)}
    return comparable(_without_moments(answer, places), places)


def _without_moments(answer: Any, places: Mapping[int, int]) -> Any:
    if isinstance(answer, dict):
        kept = {name: part for name, part in answer.items() if name not in _FURTHER}
        return {name: _number(name, _without_moments(part, places)) for name, part in kept.items()}
    if isinstance(answer, list):
        return [_without_moments(part, places) for part in answer]
    if isinstance(answer, str):
        return _ID.sub(lambda found: f"kb://#{places.get(int(found[1]), found[1])}/", answer)
    return answer


def _number(name: str, part: Any) -> Any:
    return int(part) if name in NUMBERS and isinstance(part, str) and part.isdigit() else part
