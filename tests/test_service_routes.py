"""Every reading route gives what the command of the same name prints, names its version, and fails as a problem."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cli_support import reply, two_sources
from crash_support import write
from service_support import HERE, client_of, serving
from starlette.testclient import TestClient
from workbench import Workbench, fill

import kb
from kb.http.app import make_app
from kb.http.labels import REQUEST_ID, VERSION


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[TestClient]:
    with kb.open(home) as base, TestClient(make_app(base, lambda: None), base_url=HERE) as found:
        yield found


SAME: dict[str, tuple[str, int]] = {
    "/v1/snapshots/head": ("show head", 4),
    "/v1/snapshots/2": ("show 2", 2),
    "/v1/snapshots/first": ("show first", 1),
    "/v1/diff?from=1&to=2": ("diff 1 2", 2),
    "/v1/diff?from=2&to=1&text=true": ("diff 2 1 --text", 1),
    "/v1/diff?from=1&level=chunks": ("diff 1 head --level chunks", 4),
    "/v1/diff?from=1&level=results&query=days&query=alpha": (
        "diff 1 head --level results --query days --query alpha",
        4,
    ),
    "/v1/documents/docs:refunds.md?as_of=1": ("cat docs:refunds.md --as-of 1", 1),
    "/v1/documents/code:b.md": ("cat code:b.md", 4),
    "/v1/tags": ("tag --list", 4),
}


@pytest.mark.parametrize("path", SAME)
def test_a_route_gives_what_the_command_prints(home: Path, client: TestClient, path: str) -> None:
    command, version = SAME[path]
    found = client.get(path)
    assert (found.status_code, found.headers[VERSION]) == (200, str(version))
    assert found.json() == reply(home, *command.split())


def test_rows_of_lists_are_what_the_commands_print(home: Path, client: TestClient) -> None:
    assert client.get("/v1/snapshots").json()["snapshots"] == reply(home, "log")
    assert client.get("/v1/snapshots?source=code").json()["snapshots"] == reply(home, "log", "--source", "code")
    assert client.get("/v1/documents/docs:refunds.md/history").json()["versions"] == reply(
        home, "history", "docs:refunds.md"
    )


def test_a_source_is_shown_with_its_settings_and_how_it_stands(home: Path, client: TestClient) -> None:
    (standing,) = (one for one in reply(home, "status")["sources"] if one["source"]["name"] == "docs")
    wanted = {**standing.pop("source"), **standing}
    assert wanted.items() >= reply(home, "source", "show", "docs").items()
    listed = client.get("/v1/sources").json()["sources"]
    for found in (client.get("/v1/sources/docs").json(), *(one for one in listed if one["name"] == "docs")):
        assert without_age(found) == without_age(wanted)


def without_age(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "lag_s"}


FOUND: dict[str, Any] = {
    "search alpha": {"query": "alpha"},
    "search alpha --as-of 1 -k 1 --mode bm25 --exact": {
        "query": "alpha",
        "as_of": 1,
        "k": 1,
        "mode": "bm25",
        "exact": True,
    },
    "search alpha --filter source=code --filter uri=*.py": {
        "query": "alpha",
        "filters": {"source": ["code"], "uri": "*.py"},
    },
}


@pytest.mark.parametrize("command", FOUND)
def test_a_search_finds_what_the_command_finds(home: Path, client: TestClient, command: str) -> None:
    found = client.post("/v1/search", json=FOUND[command])
    wanted = reply(home, *command.split())
    assert found.headers[VERSION] == str(wanted["as_of"]["version"])
    for varying in ("request_id", "took_ms", "timings"):
        assert wanted.pop(varying, None) != ""
    assert wanted.items() <= found.json().items()
    assert found.json()["hits"]


def test_a_past_version_is_served_without_the_present_one(client: TestClient) -> None:
    texts = [client.get(f"/v1/documents/docs:refunds.md?as_of={one}").json()["text"] for one in (1, 2)]
    assert ("30 days" in texts[0], "60 days" in texts[1]) == (True, True)


def test_what_numbers_name_is_not_sent_twice(client: TestClient) -> None:
    for path in ("/v1/snapshots/2", "/v1/diff?from=1&to=2", "/v1/documents/docs:refunds.md?as_of=1"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert again.headers[VERSION] == first.headers[VERSION]
        assert client.get(path, headers={"If-None-Match": '"other"'}).json() == first.json()


def test_what_may_change_has_no_etag(client: TestClient) -> None:
    for path in ("/v1/snapshots/head", "/v1/diff?from=1", "/v1/documents/docs:refunds.md/history", "/v1/snapshots"):
        assert "ETag" not in client.get(path, headers={"If-None-Match": "*"}).headers


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/v1/snapshots/99", 404, "NotFound"),
        ("/v1/snapshots/nowhere", 404, "NotFound"),
        ("/v1/snapshots/head~9", 404, "NotFound"),
        ("/v1/documents/docs:gone.md", 404, "NotFound"),
        ("/v1/documents/code:a.py?as_of=1", 404, "NotFound"),
        ("/v1/documents?source=gone", 404, "NotFound"),
        ("/v1/sources/gone", 404, "NotFound"),
        ("/v1/nowhere", 404, "NotFound"),
        ("/v2/search", 404, "NotFound"),
        ("/v1/search", 405, "MethodNotAllowed"),
        ("/v1/diff", 422, "UsageError"),
        ("/v1/diff?from=1&level=letters", 422, "UsageError"),
        ("/v1/diff?from=1&level=results", 422, "UsageError"),
        ("/v1/snapshots?limit=0", 422, "UsageError"),
        ("/v1/snapshots?limit=1001", 422, "UsageError"),
        ("/v1/snapshots?cursor=rubbish", 422, "UsageError"),
        ("/v1/documents?cursor=WyJzbmFwc2hvdHMiLDQsMl0", 422, "UsageError"),
    ],
)
def test_an_error_is_a_problem(client: TestClient, path: str, status: int, title: str) -> None:
    found = client.get(path)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    told = found.json()
    assert (told["status"], told["title"], told["type"]) == (status, title, f"urn:palimpsest:{title}")
    assert told["detail"]
    # Where nothing of the knowledge base is, nobody is asked who they are, and nobody is told of its versions.
    asked = title != "MethodNotAllowed" and path not in ("/v1/nowhere", "/v2/search")
    assert found.headers.get(VERSION) == ("4" if asked else None)


def test_a_method_that_is_not_there_tells_those_that_are(client: TestClient) -> None:
    assert client.delete("/v1/tags").headers["allow"] == "GET"


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "   "},
        {"query": "a" * 10_001},
        {"query": "a", "k": 0},
        {"query": "a", "k": "3"},
        {"query": "a", "k": True},
        {"query": "a", "k": 1001},
        {"query": "a", "mode": "best"},
        {"query": "a", "exact": 1},
        {"query": "a", "as_of": 1.5},
        {"query": "a", "filters": {"nothing": "x"}},
        {"query": "a", "filters": {"source": []}},
        {"query": "a", "filters": {"source": 3}},
        {"query": "a", "filters": []},
        {"query": "a", "depth": 3},
        {"k": 3},
        ["query"],
        "query",
    ],
)
def test_a_search_that_cannot_be_is_refused(client: TestClient, body: Any) -> None:
    assert client.post("/v1/search", json=body).status_code == 422


def test_an_expired_version_is_gone(thinned: Path) -> None:
    with kb.open(thinned) as base, TestClient(make_app(base, lambda: None), base_url=HERE) as client:
        kept = {one.version for one in base.log(None)}
        expired = next(version for version in range(1, base.version()) if version not in kept)
        for path in (f"/v1/snapshots/{expired}", f"/v1/documents?as_of={expired}", f"/v1/diff?from={expired}"):
            assert (client.get(path).status_code, client.get(path).json()["title"]) == (410, "Expired")
        assert client.post("/v1/search", json={"query": "a", "as_of": expired}).status_code == 410


def test_a_request_keeps_its_id_where_it_is_sane(client: TestClient) -> None:
    assert client.get("/v1/tags", headers={REQUEST_ID: "abc-1.2:3_4"}).headers[REQUEST_ID] == "abc-1.2:3_4"
    for odd in ("", "a b", "x" * 129, "-a", "ä".encode()):
        assert len(client.get("/v1/tags", headers={REQUEST_ID: odd}).headers[REQUEST_ID]) == 32
    answer = client.post("/v1/search", json={"query": "alpha"})
    assert answer.headers[REQUEST_ID] == answer.json()["request_id"]


def test_lists_go_on_in_the_version_that_they_began_with(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, 8)
    folder = bench.add_folder("docs")
    fill(folder, {f"{number}.md": f"text {number}" for number in range(5)})
    bench.sync("docs")
    with kb.open(bench.home.path) as base, TestClient(make_app(base, lambda: None), base_url=HERE) as client:
        paths = ("documents", "snapshots", "documents/docs:4.md/history")
        pages = {path: client.get(f"/v1/{path}?limit=2").json() for path in paths}
        fill(folder, {"2.md": "other", "22.md": "new", "4.md": "other"})
        (folder / "3.md").unlink()
        bench.sync("docs")
        rest = walked(client, "documents", pages["documents"]["next"])
        assert [one["uri"] for page in rest for one in page["documents"]] == ["2.md", "3.md", "4.md"]
        assert {page["version"] for page in rest} == {1}
        assert pages["snapshots"]["next"] is None
        assert pages["documents/docs:4.md/history"]["next"] is None
        whole = walked(client, "documents", None)
        assert [one["uri"] for page in whole for one in page["documents"]] == ["0.md", "1.md", "2.md", "22.md", "4.md"]
        assert [page["snapshots"][0]["version"] for page in walked(client, "snapshots", None, 1)] == [2, 1]
        history = walked(client, "documents/docs:4.md/history", None, 1)
        assert [one["since"] for page in history for one in page["versions"]] == [1, 2]
    bench.close()


def walked(client: TestClient, path: str, cursor: str | None, limit: int = 2) -> list[Any]:
    """All pages from a cursor on."""
    pages: list[Any] = []
    while not pages or cursor:
        words: dict[str, str | int] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        found = client.get(f"/v1/{path}", params=words)
        assert found.status_code == 200, found.text
        pages.append(found.json())
        cursor = pages[-1]["next"]
        assert found.headers[VERSION] == str(pages[-1]["version"])
    return pages


def test_snapshots_and_sources_are_listed_page_by_page(client: TestClient) -> None:
    assert [page["snapshots"][0]["version"] for page in walked(client, "snapshots", None, 1)] == [4, 3, 2, 1]
    assert [page["sources"][0]["name"] for page in walked(client, "sources", None, 1)] == ["code", "docs"]


def test_an_empty_knowledge_base_says_so(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, 8)
    with kb.open(bench.home.path) as base, TestClient(make_app(base, lambda: None), base_url=HERE) as client:
        base.warm()
        assert client.get("/v1/snapshots").json() == {"version": 0, "snapshots": [], "next": None}
        assert client.post("/v1/search", json={"query": "a"}).status_code == 404
        assert client.get("/v1/status").headers[VERSION] == "0"
    bench.close()


def test_uris_hold_whatever_they_hold(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, 8)
    folder = bench.add_folder("docs")
    texts = {"a/b c.md": "one", "a/history": "two", "ü?#%2F.md": "three", "a//..b.md": "four"}
    write(folder, texts)
    bench.sync("docs")
    with kb.open(bench.home.path) as base, serving(bench.home.path) as server, client_of(server) as client:
        for one in base.documents():
            by_id = client.get(f"/v1/documents/{one.document_id}").json()["text"]
            assert by_id == client.get(f"/v1/documents/{one.document_id[:12]}").json()["text"]
            if not one.uri.endswith("/history"):
                assert client.get(f"/v1/documents/docs:{quote(one.uri, safe='')}").json()["text"] == by_id
    bench.close()
