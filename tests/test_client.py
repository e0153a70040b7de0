"""A connected knowledge base answers what an opened one answers, with the same verbs, types and errors."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import client_support
import pytest
from cli_support import two_sources
from tools_support import served

import kb
from kb.client.remote import RemoteBase
from kb.client.remote_async import AsyncRemoteBase
from kb.errors import Expired, KBError, NotFound, UsageError

WRITING = {"delete_tag", "plan", "retain", "sync", "tag", "writer"}
ONLY_HERE = WRITING | {
    "catalog",
    "close",
    "head",
    "home",
    "original",
    "quarantine",
    "seen_by",
    "store",
    "verify",
    "version",
    "warm",
}
"""What a knowledge base that is opened here offers beside: writing, checking, and what the verbs stand on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home, client_support.router) as found:
        yield found


class Awaited:
    """A connected knowledge base whose verbs are awaited, one event loop for each."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        async def ask(*arguments: Any, **settings: Any) -> Any:
            async with kb.connect_async(self._url) as base:
                return await getattr(base, verb)(*arguments, **settings)

        return lambda *arguments, **settings: asyncio.run(ask(*arguments, **settings))


@pytest.fixture(params=["sync", "async"])
def connected(request: pytest.FixtureRequest, url: str) -> Iterator[Any]:
    if request.param == "async":
        yield Awaited(url)
        return
    with kb.connect(url) as base:
        yield base


NOT_ASKED = {("log", "before"), ("documents", "after"), ("documents", "limit")}
"""What lists are paged by, which is the client's own affair."""


def test_an_opened_and_a_connected_one_have_the_same_verbs_and_signatures() -> None:
    def verbs(kind: type) -> dict[str, list[inspect.Parameter]]:
        found = {name: value for name, value in vars(kind).items() if inspect.isfunction(value) and name[0] != "_"}
        return {name: parameters(name, value) for name, value in found.items() if name not in ONLY_HERE}

    def parameters(verb: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
        found = inspect.signature(function).parameters.items()
        return [parameter for name, parameter in found if (verb, name) not in NOT_ASKED]

    assert verbs(kb.KnowledgeBase) == verbs(RemoteBase) == verbs(AsyncRemoteBase)


ASKED: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("log", (), {}),
    ("log", (3,), {}),
    ("log", (0,), {}),
    ("log", (None,), {"source": "docs"}),
    ("show", (), {}),
    ("show", ("first",), {}),
    ("show", (2,), {}),
    ("show", ("code@2999-01-01",), {}),
    ("diff", (1,), {}),
    ("diff", (1, 2), {"text": True}),
    ("diff", ("1", "head"), {"level": "chunks"}),
    ("diff", (1, 2), {"level": "results", "queries": ["goods & returns", "alpha"]}),
    ("documents", (), {}),
    ("documents", (), {"as_of": 1, "source": "docs"}),
    ("history", ("docs:refunds.md",), {}),
    ("document", ("docs:refunds.md",), {}),
    ("document", ("docs:refunds.md",), {"as_of": 1}),
    ("tags", (), {}),
    ("sources", (), {}),
    ("source", ("code",), {}),
]


@pytest.mark.parametrize(("verb", "arguments", "settings"), ASKED)
def test_the_answers_are_the_same(
    home: Path, connected: Any, verb: str, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> None:
    with kb.open(home) as base:
        here = getattr(base, verb)(*arguments, **settings)
    there = getattr(connected, verb)(*arguments, **settings)
    assert there == here
    assert type(there) is type(here)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"as_of": 1, "k": 1},
        {"mode": "bm25", "exact": True},
        {"filters": {"source": "docs", "uri": ["*.md", "*.txt"]}},
        {"filters": {"source": ("docs", "code")}},
    ],
)
def test_so_are_hits(home: Path, connected: Any, settings: dict[str, Any]) -> None:
    with kb.open(home) as base:
        here = base.search("return goods: “30 days”", **settings)
    there = connected.search("return goods: “30 days”", **settings)
    assert len(there) > 0
    assert there == replace(here, request_id=there.request_id, took_ms=there.took_ms, timings=there.timings)
    assert there[0] == here[0]


def test_so_is_how_it_stands(home: Path, connected: Any) -> None:
    with kb.open(home) as base:
        here = base.status()
    there = connected.status()
    assert [one.source for one in there.sources] == [one.source for one in here.sources]
    assert (there.head, there.documents, there.committed_at) == (here.head, here.documents, here.committed_at)


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], type[KBError]]] = [
    ("search", ("a",), {"as_of": 99}, NotFound),
    ("search", ("a",), {"k": 0}, UsageError),
    ("search", ("a",), {"k": float("nan")}, UsageError),
    ("search", ("a \ud800",), {}, UsageError),
    ("search", ("a",), {"filters": {"sauce": "b"}}, UsageError),
    ("show", ("nothing/../like this?#",), {}, NotFound),
    ("show", ("\ud800",), {}, UsageError),
    ("diff", (1, 2), {"level": "results"}, UsageError),
    ("document", ("docs:none/history",), {}, NotFound),
    ("history", ("0123456789",), {}, NotFound),
    ("log", (), {"source": "nobody"}, NotFound),
    ("source", ("nobody",), {}, NotFound),
]


@pytest.mark.parametrize(("verb", "arguments", "settings", "kind"), REFUSED)
def test_so_are_errors(
    connected: Any, verb: str, arguments: tuple[Any, ...], settings: dict[str, Any], kind: type[KBError]
) -> None:
    with pytest.raises(KBError) as raised:
        getattr(connected, verb)(*arguments, **settings)
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)


def test_an_expired_version_is_told_with_the_nearest(thinned: Path) -> None:
    with kb.open(thinned) as base:
        kept = {snapshot.version for snapshot in base.log(None)}
        gone = next(version for version in range(1, max(kept)) if version not in kept)
        with pytest.raises(Expired) as here:
            base.show(gone)
    with served(thinned, client_support.router) as url, kb.connect(url) as base, pytest.raises(Expired) as there:
        base.show(gone)
    assert str(there.value) == str(here.value)
