"""Agents find and read documents as of any version, by the SDK's own client over both transports."""

import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli_support import two_sources
from crash_support import KB
from fastapi import FastAPI
from mcp import Client
from mcp.shared.exceptions import MCPError
from tools_support import Use, over_http, over_stdio, running, served

import kb
from indexer.creation import create
from kb.answers import plain
from kb.callers import add_key
from kb.http.app import make_app
from kb.tools import http

Talk = Callable[[Use], Any]


def request(id_: int, method: str, **parameters: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": parameters}).encode()


INITIALIZE = request(
    1,
    "initialize",
    protocolVersion="2025-06-18",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)
VERSIONS = request(2, "tools/call", name="list_versions", arguments={})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home) as found:
        yield found


@pytest.fixture(params=["stdio", "http"])
def talk(request: pytest.FixtureRequest, home: Path, url: str) -> Talk:
    return (lambda use: over_stdio(home, use)) if request.param == "stdio" else (lambda use: over_http(url, use))


def told(talk: Talk, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tools answer; the words for those that know no structure are the same."""

    async def use(client: Client) -> list[dict[str, Any]]:
        found = []
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result
            assert json.loads(result.content[0].text) == result.structured_content
            found.append(result.structured_content)
        return found

    return talk(use)


def test_every_tool_says_that_it_only_reads(talk: Talk) -> None:
    async def use(client: Client) -> Any:
        return (await client.list_tools()).tools, (await client.list_resource_templates()).resource_templates

    tools, templates = talk(use)
    assert [tool.name for tool in tools] == ["search", "fetch", "list_versions", "diff_versions", "document_history"]
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.open_world_hint
        assert (tool.input_schema["type"], tool.output_schema["type"]) == ("object", "object")
        assert tool.description
        assert not tool.input_schema.get("additionalProperties", True)
    assert [template.uri_template for template in templates] == ["kb://{version}/{source}/{+uri}"]


def test_what_is_fetched_is_what_was_found(talk: Talk, home: Path) -> None:
    """Also when the head has moved on: the id carries the version."""
    (old,) = told(talk, ("search", {"query": "return goods within 30 days", "as_of": "first", "k": 3}))
    assert old["as_of"]["version"] == 1
    best = old["results"][0]
    assert best["id"] == "kb://1/docs/refunds.md"
    assert {"id", "title", "url"} <= best.keys()
    (fetched,) = told(talk, ("fetch", {"id": best["id"]}))
    with kb.open(home) as base:
        assert fetched["text"] == base.document("docs:refunds.md", as_of=1).text
    assert (fetched["id"], fetched["url"], fetched["metadata"]["version"]) == (best["id"], best["id"], "1")
    passage = best["passages"][0]
    assert fetched["text"][passage["start"] : passage["end"]] == passage["text"]
    assert "30 days" in fetched["text"]


def test_versions_differences_and_histories_are_the_librarys(talk: Talk, home: Path) -> None:
    calls = (
        ("list_versions", {"limit": 3, "source": "docs"}),
        ("diff_versions", {"before": "1", "after": "2", "text": True}),
        ("document_history", {"document": "docs:refunds.md"}),
        ("document_history", {"document": "kb://1/docs/refunds.md"}),
    )
    versions, difference, history, same = told(talk, *calls)
    with kb.open(home) as base:
        assert versions == {"versions": plain(base.log(3, source="docs"))}
        assert difference == plain(base.diff(1, 2, text=True))
        assert history == same == {"versions": plain(base.history("docs:refunds.md"))}


def test_a_resource_is_the_text_at_that_version(talk: Talk, home: Path) -> None:
    async def use(client: Client) -> list[str]:
        uris = ("kb://first/docs/refunds.md", "kb://head/docs/refunds.md")
        assert (await client.list_resources()).resources == []
        return [(await client.read_resource(uri)).contents[0].text for uri in uris]

    with kb.open(home) as base:
        assert talk(use) == [base.document("docs:refunds.md", as_of=version).text for version in (1, "head")]


REFUSED = [
    ("search", {}, "query: "),
    ("search", {"query": "a", "k": 0}, "k: "),
    ("search", {"query": "a", "kk": 3}, "kk: "),
    ("search", {"query": "a", "k": "NaN"}, "k: "),
    ("search", {"query": "a", "as_of": "99"}, "version 99 does not exist; the newest is 4"),
    ("search", {"query": "a", "filters": {"sauce": ["b"]}}, "sauce"),
    ("fetch", {"id": "docs:refunds.md"}, "names no document"),
    ("fetch", {"id": "kb://1/docs/none.md"}, "there is no document 'docs:none.md'"),
    ("diff_versions", {"before": "1", "level": "results"}, "needs at least one query"),
    ("document_history", {"document": "docs:none"}, "there is no document"),
    ("list_versions", {"source": "nobody"}, "nobody"),
]


def test_a_refusal_is_one_line(talk: Talk) -> None:
    async def use(client: Client) -> list[Any]:
        return [await client.call_tool(name, arguments) for name, arguments, _ in REFUSED]

    for result, (name, arguments, words) in zip(talk(use), REFUSED, strict=True):
        assert result.is_error, (name, arguments)
        assert words in result.content[0].text
        assert "\n" not in result.content[0].text


def test_what_is_not_there_is_an_error_of_the_protocol(talk: Talk) -> None:
    async def refused(asked: Awaitable[Any]) -> tuple[int, str]:
        with pytest.raises(MCPError) as raised:
            await asked
        return raised.value.code, raised.value.message

    async def use(client: Client) -> list[tuple[int, str]]:
        uris = ("kb://99/docs/refunds.md", "kb://1/docs/none.md", "kb://1", "file:///nowhere")
        asked = [client.read_resource(uri) for uri in uris] + [client.call_tool("drop", {})]
        return [await refused(one) for one in asked]

    told = talk(use)
    assert {code for code, _ in told} == {-32602}
    words = ["version 99 does not", "there is no document", "names no document", "names no document", "no tool 'drop'"]
    assert [part in message for part, (_, message) in zip(words, told, strict=True)] == [True] * 5


def test_on_stdout_there_is_nothing_but_the_protocol(home: Path) -> None:
    """Whatever comes in; and the end of the input is the end."""
    lines = [
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": NaN, "method": "ping"}',
        b"{}",
        INITIALIZE,
        VERSIONS,
    ]
    ran = subprocess.run([KB, "--home", home, "mcp"], input=b"\n".join(lines) + b"\n", capture_output=True, timeout=120)
    replies = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {reply["jsonrpc"] for reply in replies} == {"2.0"}
    assert {reply["id"] for reply in replies if "result" in reply} >= {1}
    assert ran.returncode == 0, ran.stderr


HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
HOSTILE = [
    (b"", {}),
    (b"nonsense", {}),
    (b"\xff\xfe\x00", {}),
    (b"[" * 200_000, {}),
    (b'{"a":' * 150_000, {}),
    (b"NaN", {}),
    (b" " * (2**20 + 1), {}),
    (b"{}", {"Content-Type": "text/plain"}),
    (b"{}", {"Accept": "text/html"}),
    (b"{}", {"Host": "evil.example"}),
    (b"{}", {"Origin": "http://evil.example"}),
    (b"{}", {"MCP-Protocol-Version": "3000-01-01"}),
]


@pytest.mark.parametrize(("body", "headers"), HOSTILE)
def test_what_is_hostile_is_refused(url: str, body: bytes, headers: dict[str, str]) -> None:
    found = httpx.post(f"{url}/mcp", content=body, headers=HEADERS | headers)
    assert 400 <= found.status_code < 500, (found.status_code, found.text)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_nothing_is_kept_between_requests(url: str, method: str) -> None:
    """So there is no stream to open and no session to end."""
    assert httpx.request(method, f"{url}/mcp", headers=HEADERS).status_code == 405


def test_one_who_has_a_key_may_come_by_any_name(tmp_path: Path) -> None:
    home = create(tmp_path / "keyed", "hashing:8")[0].path
    with kb.open(home) as base:
        _, key = add_key(base.catalog, "agent", "reader", (), None)
        with running(make_app(base, lambda: None)) as url:
            headers = HEADERS | {"Host": "kb.example", "Authorization": f"Bearer {key}"}
            found = httpx.post(f"{url}/mcp", content=INITIALIZE, headers=headers)
    assert found.json()["result"]["serverInfo"]["name"] == "palimpsest"
    assert "mcp-session-id" not in found.headers


def test_each_request_sees_its_callers_knowledge_base(home: Path, tmp_path: Path) -> None:
    empty = create(tmp_path / "empty", "hashing:8")[0].path
    with kb.open(home) as full, kb.open(empty) as nothing:
        bases = {"Bearer one": full, "Bearer two": nothing}
        app = FastAPI()
        app.add_route("/mcp", Tools(lambda request: bases[request.headers["authorization"]]), methods=["POST"])
        with running(app) as url:
            counts = [len(versions(url, key)) for key in ("Bearer one", "Bearer two", "Bearer one")]
    assert counts == [4, 0, 4]


class Tools:
    """The application as an endpoint that a route hands everything to."""

    def __init__(self, base_of: Callable[[Any], Any]) -> None:
        self._app = http.make_app(base_of)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


def versions(url: str, key: str) -> list[Any]:
    found = httpx.post(f"{url}/mcp", content=VERSIONS, headers=HEADERS | {"Authorization": key}).json()["result"]
    assert not found.get("isError"), found
    return found["structuredContent"]["versions"]
