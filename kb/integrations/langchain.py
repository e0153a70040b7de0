"""A LangChain retriever. The one door to langchain-core."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from kb.answers import Answer
from kb.integrations.searching import Settings, metadata, search, search_async
from kb.nouns import Hit, Mode


class LangChainRetriever(BaseRetriever):
    """Documents are hits: the chunk's id is theirs, the provenance and the score are in the metadata."""

    base: Any
    """Of `kb.open`, `kb.connect` or, where it is only awaited, `kb.connect_async`."""
    as_of: str | int = "head"
    k: int = 10
    mode: Mode = "hybrid"
    exact: bool = False
    filters: Mapping[str, str | Sequence[str]] | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return _documents(search(self.base, query, self._settings()))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return _documents(await search_async(self.base, query, self._settings()))

    def _settings(self) -> Settings:
        return Settings(self.as_of, self.k, self.mode, self.exact, self.filters)


def _documents(answer: Answer) -> list[Document]:
    return [_document(hit) for hit in answer.hits]


def _document(hit: Hit) -> Document:
    return Document(id=hit.chunk_id, page_content=hit.text, metadata=metadata(hit))
