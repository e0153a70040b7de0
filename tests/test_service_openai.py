"""OpenAI's own client searches as it would in a vector store of OpenAI's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai
import pytest
from service_support import serving
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from kb.http.server import Server

MAY, JUNE = (datetime(2024, month, 1, tzinfo=UTC) for month in (5, 6))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = Workbench(tmp_path_factory.mktemp("openai"), 64)
    papers = {
        "a.md": Paper("# Refunds\n\nGoods come back within 30 days.", MAY, {"team": "shop", "year": "2024"}),
        "b.md": Paper("# Returns\n\nGoods are returned by post.", JUNE, {"team": "post", "year": "2024"}),
    }
    bench.add_unregistered("handbook")
    bench.add_unregistered("wiki")
    bench.sync_with("handbook", Shelf(papers))
    bench.sync_with("wiki", Shelf({"w.md": Paper("Goods are things, and days are long.", metadata={"team": "shop"})}))
    bench.sync_with("handbook", Shelf({**papers, "a.md": Paper("# Refunds\n\nGoods come back within 60 days.", JUNE)}))
    bench.close()
    return bench.home.path


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as found:
        yield found


def names(client: openai.OpenAI, store: str = "head", **asked: Any) -> list[str]:
    found = client.vector_stores.search(store, query="goods days", **asked)
    return sorted(result.filename for result in found.data)


def test_a_result_is_a_hit_with_its_provenance(home: Path, client: openai.OpenAI) -> None:
    page = client.vector_stores.search("head", query="goods days", max_num_results=3, rewrite_query=True)
    with kb.open(home) as base:
        hits = base.search("goods days", k=3)
        assert [(one.file_id, one.filename, one.score, one.content[0].text) for one in page.data] == [
            (hit.document_id, hit.provenance.uri, hit.score, hit.text) for hit in hits
        ]
        first, place = page.data[0].attributes or {}, hits[0].provenance
        text = base.document(page.data[0].file_id, as_of=int(first["version"])).text
    assert text[int(first["start"]) : int(first["end"])] == page.data[0].content[0].text
    assert (first["source"], first["version"], first["content_sha256"]) == (place.source, 3, place.content_sha256)


@pytest.mark.parametrize(
    ("store", "found"),
    [
        ("head", ["a.md", "b.md", "w.md"]),
        ("1", ["a.md", "b.md"]),
        ("wiki", ["w.md"]),
        ("handbook", ["a.md", "b.md"]),
    ],
)
def test_a_store_is_a_source_or_a_version(client: openai.OpenAI, store: str, found: list[str]) -> None:
    assert names(client, store) == found


def test_an_old_version_answers_as_it_did(client: openai.OpenAI) -> None:
    texts = [client.vector_stores.search(store, query="30 60 days").data for store in ("1", "head")]
    assert ["30 days" in str(texts[0]), "60 days" in str(texts[1]), "30 days" in str(texts[1])] == [True, True, False]


def eq(key: str, value: Any) -> Any:
    return {"type": "eq", "key": key, "value": value}


def joined(type_: str, *filters: Any) -> Any:
    return {"type": type_, "filters": list(filters)}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (eq("source", "wiki"), ["w.md"]),
        (eq("team", "post"), ["b.md"]),
        (eq("year", 2024), ["b.md"]),
        ({"type": "in", "key": "team", "value": ["shop", "post"]}, ["b.md", "w.md"]),
        (joined("or", eq("team", "shop"), eq("team", "post")), ["b.md", "w.md"]),
        (joined("and", eq("team", "shop"), eq("source", "handbook")), []),
        (joined("and", eq("uri", "?.md"), joined("or", eq("source", "wiki"))), ["w.md"]),
        ({"type": "gte", "key": "modified_at", "value": "2024-05-15"}, ["a.md", "b.md"]),
        (joined("and", {"type": "lt", "key": "modified_at", "value": "2024-05-15"}, eq("source", "handbook")), []),
    ],
)
def test_filters_on_attributes_are_ours(client: openai.OpenAI, filters: Any, found: list[str]) -> None:
    assert names(client, filters=filters) == found


@pytest.mark.parametrize(
    "filters",
    [
        eq("nothing", "x"),
        {"type": "ne", "key": "team", "value": "x"},
        {"type": "gte", "key": "team", "value": "x"},
        {"type": "in", "key": "team", "value": "x"},
        {"type": "in", "key": "team", "value": []},
        eq("team", ["x"]),
        eq("modified_at", "2024-05-01"),
        joined("or", eq("team", "x"), eq("source", "wiki")),
        joined("and", eq("team", "x"), eq("team", "y")),
        joined("or"),
        joined("or", {"type": "gte", "key": "modified_at", "value": "2024-05-15"}, eq("team", "x")),
        {"type": "eq", "key": "team"},
    ],
)
def test_what_filters_cannot_say_is_refused(client: openai.OpenAI, filters: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError):
        names(client, filters=filters)


def test_one_source_is_not_chosen_twice(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        names(client, "wiki", filters=eq("source", "handbook"))
    assert "'wiki' is one source" in refused.value.response.json()["detail"]


def test_several_queries_give_each_hit_once(client: openai.OpenAI) -> None:
    page = client.vector_stores.search("head", query=["goods days", "returned by post"], max_num_results=2)
    alone = [client.vector_stores.search("head", query=one).data for one in ("goods days", "returned by post")]
    best = {one.filename: 0.0 for found in alone for one in found}
    for one in (one for found in alone for one in found):
        best[one.filename] = max(best[one.filename], one.score)
    wanted = sorted(best.items(), key=lambda pair: -pair[1])[:2]
    assert [(one.filename, one.score) for one in page.data] == wanted


def test_scores_below_the_threshold_are_left_out(client: openai.OpenAI) -> None:
    every = client.vector_stores.search("head", query="goods days").data
    best = every[0].score
    options = {"ranker": "auto", "score_threshold": best}
    assert 0 < len(names(client, ranking_options=options)) < len(every)


def test_errors_are_those_that_the_client_knows(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        names(client, "nowhere")
    with pytest.raises(openai.UnprocessableEntityError):
        names(client, max_num_results=51)
