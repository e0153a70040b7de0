"""Queries' vectors: embedded once, together where they come together, always those that the embedder alone gives."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import numpy as np
import pytest
from workbench import CountingEmbedder, Workbench, fill

import kb
from kb.base import KnowledgeBase
from kb.embedding.load import load
from kb.embedding.protocol import Embedder, Vectors
from kb.embedding.queries import QueryVectors
from kb.embedding.query import embed_query
from kb.errors import EmbedderError, Interrupted

LONG = " ".join(f"the {number}th word of a query that is longer than any window" for number in range(80))


class Asking(str):
    """A query that tells when it was looked up: from then on its caller has joined those that are waiting."""

    def __new__(cls, text: str) -> "Asking":
        made = super().__new__(cls, text)
        made.asked = Event()
        return made

    asked: Event

    def __hash__(self) -> int:
        self.asked.set()
        return super().__hash__()


class GatedEmbedder(CountingEmbedder):
    """Notes each call's texts, and does not answer before the gate opens."""

    def __init__(self, gate: Callable[[], object] = lambda: None) -> None:
        super().__init__(16)
        self.calls: list[list[str]] = []
        self._gate = gate

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(sorted(map(str, texts)))
        self._gate()
        return super().embed(texts)


def everyone_asked(queries: Sequence[Asking]) -> Callable[[], object]:
    return lambda: [query.asked.wait() for query in queries]


def ask(vectors: QueryVectors, embedder: Embedder, queries: Sequence[str]) -> list[Vectors]:
    """Each query by a thread of its own, all at once."""
    barrier = Barrier(len(queries))

    def one(query: str) -> Vectors:
        barrier.wait()
        return vectors.vector("space", query, lambda: embedder)

    with ThreadPoolExecutor(len(queries)) as threads:
        return list(threads.map(one, queries))


def test_equal_queries_at_once_are_embedded_once() -> None:
    queries = [Asking("refund period") for _ in range(8)]
    embedder = GatedEmbedder(everyone_asked(queries))
    found = ask(QueryVectors(), embedder, queries)
    assert embedder.calls == [["refund period"]]
    expected = embed_query(CountingEmbedder(16), "refund period")
    assert all(np.array_equal(vector, expected) for vector in found)


def test_queries_that_come_meanwhile_go_together() -> None:
    """Whoever is first goes alone; all others, each asked twice, share one call."""
    queries = [Asking(f"query {number // 2}") for number in range(16)]
    embedder = GatedEmbedder(everyone_asked(queries))
    found = ask(QueryVectors(), embedder, queries)
    assert [len(call) for call in embedder.calls] == [1, 7]
    assert sorted(embedder.texts) == sorted({str(query) for query in queries})
    for query, vector in zip(queries, found, strict=True):
        assert np.array_equal(vector, embed_query(CountingEmbedder(16), str(query)))


def test_what_was_asked_before_is_remembered_up_to_a_bound() -> None:
    vectors, embedder = QueryVectors(remembered=2), GatedEmbedder()
    for query in ("a", "b", "a", "c", "a", "b"):
        vectors.vector("space", query, lambda: embedder)
    assert embedder.calls == [["a"], ["b"], ["c"], ["b"]]


def test_spaces_are_apart() -> None:
    vectors, embedders = QueryVectors(), {"one": CountingEmbedder(16), "other": CountingEmbedder(24)}
    for _ in range(2):
        for space, embedder in embedders.items():
            assert vectors.vector(space, "a", lambda embedder=embedder: embedder).shape == (embedder.dimensions,)  # type: ignore[misc]
    assert [embedder.texts for embedder in embedders.values()] == [["a"], ["a"]]


def test_a_remembered_vector_cannot_be_written() -> None:
    vector = QueryVectors().vector("space", "a", lambda: CountingEmbedder(16))
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1


class Picky(GatedEmbedder):
    """Refuses one query, and stops at another as Ctrl-C does."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        made = super().embed(texts)
        if "bad" in texts:
            raise EmbedderError("the query is refused")
        if "stop" in texts:
            raise KeyboardInterrupt
        return made


def outcomes(vectors: QueryVectors, embedder: Embedder, queries: Sequence[str]) -> dict[str, object]:
    barrier = Barrier(len(queries))

    def one(query: str) -> object:
        barrier.wait()
        try:
            return vectors.vector("space", query, lambda: embedder).shape
        except (EmbedderError, Interrupted, KeyboardInterrupt) as error:
            return type(error)

    with ThreadPoolExecutor(len(queries)) as threads:
        return {str(query): found for query, found in zip(queries, threads.map(one, queries), strict=True)}


def test_no_query_fails_for_another() -> None:
    queries = [Asking(text) for text in ("good", "bad", "better", "best")]
    vectors, embedder = QueryVectors(), Picky(everyone_asked(queries))
    found = outcomes(vectors, embedder, queries)
    assert found == dict.fromkeys(("good", "better", "best"), (16,)) | {"bad": EmbedderError}
    before = len(embedder.calls)
    assert outcomes(vectors, embedder, ["good", "better", "best"]).keys() == {"good", "better", "best"}
    assert len(embedder.calls) == before, "they are remembered"
    assert outcomes(vectors, embedder, ["bad"]) == {"bad": EmbedderError}
    assert len(embedder.calls) == before + 1, "a failure is not"


def test_a_stopped_caller_leaves_nobody_waiting() -> None:
    queries = [Asking("stop") for _ in range(4)]
    vectors, embedder = QueryVectors(), Picky(everyone_asked(queries))
    barrier = Barrier(len(queries))

    def one(query: str) -> type[BaseException]:
        barrier.wait()
        with pytest.raises((KeyboardInterrupt, Interrupted)) as caught:
            vectors.vector("space", query, lambda: embedder)
        return caught.type

    with ThreadPoolExecutor(len(queries)) as threads:
        found = list(threads.map(one, queries))
    assert sorted(found, key=str) == sorted([KeyboardInterrupt, *[Interrupted] * 3], key=str)
    assert outcomes(vectors, embedder, ["good"]) == {"good": (16,)}


def test_the_model_gives_the_same_to_the_bit_in_company() -> None:
    model = load("all-MiniLM-L6-v2")
    queries = ["refund period", "Wie lange kann ich zurückgeben?", "x", LONG, "返品期間", LONG + " and more"]
    vectors = QueryVectors()
    found = ask(vectors, model, queries)
    for query, vector in zip(queries, found, strict=True):
        assert np.array_equal(vector, embed_query(model, query))
        assert vectors.vector("space", query, lambda: model) is vector


def test_searches_of_many_threads_share_their_queries(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, 16)
    fill(bench.add_folder("docs"), {f"{n}.md": f"# Refunds {n}\n\nCustomers have {n} days." for n in range(9)})
    bench.sync("docs")
    queries = ["refunds", "customers", "days"] * 4
    barrier = Barrier(len(queries))
    embedder = GatedEmbedder()
    with KnowledgeBase(bench.home, lambda *_: embedder) as base, kb.open(bench.home.path) as plain:

        def search(query: str) -> list[tuple[str, float]]:
            barrier.wait()
            return [(hit.chunk_id, hit.score) for hit in base.search(query)]

        with ThreadPoolExecutor(len(queries)) as threads:
            found = list(threads.map(search, queries))
        assert sorted(embedder.texts) == ["customers", "days", "refunds"]
        for query, hits in zip(queries, found, strict=True):
            assert hits == [(hit.chunk_id, hit.score) for hit in plain.search(query)]
    bench.close()
