"""The daemon's routes that write: by role, and without a word of what their caller may not see."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.daemon.daemon import Daemon
from indexer.daemon.http import writing_routes
from indexer.daemon.log import make_log
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.callers import add_key
from kb.home import Home
from kb.http.app import make_app


@pytest.fixture
def client(home: Home, writer: Writer) -> Iterator[TestClient]:
    """A home with a hidden and an open source of pushes, and a key for each role."""
    for name, access in (("hidden", "hr"), ("open", "")):
        writer.add_source(name, "push", {"access": access})
    with KnowledgeBase(home) as base:
        daemon = Daemon(home, make_log("json", sys.stderr))
        with TestClient(make_app(base, lambda: None, (writing_routes(daemon),)), "http://127.0.0.1") as found:
            yield found


@pytest.fixture
def keys(home: Home) -> dict[str, dict[str, str]]:
    """Headers by role."""
    with KnowledgeBase(home) as base:
        made = {role: add_key(base.catalog, role, role, (), None)[1] for role in ("reader", "writer", "admin")}
    return {role: {"Authorization": f"Bearer {key}"} for role, key in made.items()}


def put(source: str) -> dict[str, Any]:
    return {"source": source, "documents": [{"uri": "a.txt", "text": "words"}]}


def test_a_reader_writes_nothing(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    assert client.put("/v1/documents", json=put("open"), headers=keys["reader"]).status_code == 403
    assert client.post("/v1/sources/open/sync", headers=keys["reader"]).status_code == 403
    assert client.post("/v1/retain", json={"last": 1}, headers=keys["writer"]).status_code == 403


def test_a_hidden_source_is_one_that_never_was(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    for method, path, body in (("PUT", "/v1/documents", put("{}")), ("POST", "/v1/sources/{}/sync", {})):
        replies = []
        for name in ("hidden", "absent"):
            asked = {**body, "source": name} if "source" in body else body
            reply = client.request(method, path.format(name), json=asked, headers=keys["writer"])
            replies.append((reply.status_code, reply.json()["detail"].replace(name, "NAME")))
        assert replies[0] == replies[1]
        assert replies[0][0] == 404
        assert "hidden" not in replies[1][1]


def test_a_writer_is_not_told_what_was_there(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    first = client.put("/v1/documents", json=put("open"), headers=keys["admin"])
    again = client.put("/v1/documents", json=put("open"), headers=keys["writer"])
    assert first.json()["documents"][0]["outcome"] == "added"
    assert again.json() == {"documents": ["a.txt"]}
    withdrawal = {"source": "open", "uris": ["a.txt"]}
    assert client.request("DELETE", "/v1/documents", json=withdrawal, headers=keys["writer"]).status_code == 403


def test_a_dry_run_expires_nothing(
    client: TestClient, home: Home, writer: Writer, keys: dict[str, dict[str, str]]
) -> None:
    for text in ("one", "two"):
        client.put(
            "/v1/documents",
            json={"source": "open", "documents": [{"uri": "a.txt", "text": text}]},
            headers=keys["admin"],
        )
        writer.sync(["open"])
    reply = client.post("/v1/retain", json={"last": 1, "dry_run": True}, headers=keys["admin"])
    assert (reply.status_code, reply.json()["dry_run"], len(reply.json()["expired"])) == (200, True, 1)
    assert client.post("/v1/retain", json={"keep_last": 1}, headers=keys["admin"]).status_code == 422
    with KnowledgeBase(home) as base:
        assert [snapshot.version for snapshot in base.log()] == [2, 1]


def test_a_change_is_given_as_a_source_is_shown(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    changed = client.patch("/v1/sources/open", json={"every": "5m", "owner": "me"}, headers=keys["admin"])
    assert (changed.json()["every"], changed.json()["owner"], changed.json()["access"]) == ("5m", "me", None)
    refused = client.patch("/v1/sources/open", json={"evry": "5m"}, headers=keys["admin"])
    assert refused.status_code == 422
