"""Retrievers of the real frameworks give the hits of a search, whichever way the knowledge base is reached."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import client_support
import pytest
from cli_support import two_sources
from langchain_core.retrievers import BaseRetriever as LangChain
from llama_index.core.base.base_retriever import BaseRetriever as LlamaIndex
from llama_index.core.schema import MetadataMode, NodeRelationship
from tools_support import served

import kb
from kb.answers import plain
from kb.errors import NotFound, UsageError
from kb.integrations import LangChainRetriever, LlamaIndexRetriever
from kb.nouns import Hit

QUERY = "return goods within 30 days"
SETTINGS: dict[str, Any] = {"as_of": "first", "k": 2, "mode": "bm25", "exact": True, "filters": {"source": "docs"}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("integrations"))


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home, client_support.router) as found:
        yield found


@pytest.fixture(params=["opened", "connected"])
def base(request: pytest.FixtureRequest, home: Path, url: str) -> Iterator[Any]:
    with kb.open(home) if request.param == "opened" else kb.connect(url) as found:
        yield found


@pytest.fixture
def hits(home: Path) -> tuple[Hit, ...]:
    with kb.open(home) as opened:
        return opened.search(QUERY, **SETTINGS).hits


def check_documents(documents: list[Any], hits: tuple[Hit, ...]) -> None:
    assert [document.id for document in documents] == [hit.chunk_id for hit in hits]
    for document, hit in zip(documents, hits, strict=True):
        assert document.page_content == hit.text
        assert document.metadata.items() >= plain(hit.provenance).items()
        assert (document.metadata["score"], document.metadata["document_id"]) == (hit.score, hit.document_id)
        json.dumps(document.metadata)


def check_nodes(nodes: list[Any], hits: tuple[Hit, ...]) -> None:
    assert [(node.node.node_id, node.score) for node in nodes] == [(hit.chunk_id, hit.score) for hit in hits]
    for found, hit in zip(nodes, hits, strict=True):
        node = found.node
        assert node.text == hit.text
        assert node.metadata.items() >= plain(hit.provenance).items()
        assert node.relationships[NodeRelationship.SOURCE].node_id == hit.document_id
        assert (node.start_char_idx, node.end_char_idx) == (hit.provenance.start, hit.provenance.end)
        assert node.get_content(MetadataMode.EMBED) == hit.text
        assert "uri: refunds.md" in node.get_content(MetadataMode.LLM)
        assert "sha256" not in node.get_content(MetadataMode.LLM)


def test_langchain(base: Any, hits: tuple[Hit, ...]) -> None:
    retriever = LangChainRetriever(base=base, **SETTINGS)
    assert isinstance(retriever, LangChain)
    check_documents(retriever.invoke(QUERY), hits)
    check_documents(asyncio.run(retriever.ainvoke(QUERY)), hits)
    (batch,) = retriever.batch([QUERY])
    check_documents(batch, hits)


def test_llamaindex(base: Any, hits: tuple[Hit, ...]) -> None:
    retriever = LlamaIndexRetriever(base, **SETTINGS)
    assert isinstance(retriever, LlamaIndex)
    check_nodes(retriever.retrieve(QUERY), hits)
    check_nodes(asyncio.run(retriever.aretrieve(QUERY)), hits)


def test_one_that_is_only_awaited(url: str, hits: tuple[Hit, ...]) -> None:
    async def ask() -> tuple[Any, Any]:
        async with kb.connect_async(url) as base:
            chain, index = LangChainRetriever(base=base, **SETTINGS), LlamaIndexRetriever(base, **SETTINGS)
            with pytest.raises(UsageError, match="await the retriever"):
                chain.invoke(QUERY)
            with pytest.raises(UsageError, match="await the retriever"):
                index.retrieve(QUERY)
            return await chain.ainvoke(QUERY), await index.aretrieve(QUERY)

    documents, nodes = asyncio.run(ask())
    check_documents(documents, hits)
    check_nodes(nodes, hits)


def test_an_error_is_ours(base: Any) -> None:
    with pytest.raises(NotFound, match="version 99 does not exist"):
        LangChainRetriever(base=base, as_of=99).invoke(QUERY)
    with pytest.raises(NotFound, match="version 99 does not exist"):
        LlamaIndexRetriever(base, as_of=99).retrieve(QUERY)


BLOCKED = """
import sys
sys.modules.update(langchain_core=None, llama_index=None)
import kb.integrations
for name in kb.integrations.__all__:
    try:
        getattr(kb.integrations, name)
    except ImportError as error:
        print(error)
"""


def test_neither_package_is_needed_until_its_class_is_asked_for() -> None:
    ran = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)
    first, second = ran.stdout.splitlines()
    assert first.endswith("install palimpsest[langchain]")
    assert second.endswith("install palimpsest[llamaindex]")
