"""A LlamaIndex retriever. The one door to llama-index-core."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from kb.answers import Answer
from kb.integrations.searching import Settings, metadata, search, search_async
from kb.nouns import Hit, Mode

_FOR_MODELS: Final = ("source", "uri", "title", "section", "page", "modified_at")
"""What a language model is shown before the text; digests would only be noise to it."""


class LlamaIndexRetriever(BaseRetriever):
    """Nodes are hits: the chunk's id is theirs, the document's id their source's, the provenance in the metadata."""

    def __init__(
        self,
        base: Any,
        *,
        as_of: str | int = "head",
        k: int = 10,
        mode: Mode = "hybrid",
        exact: bool = False,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        **rest: Any,
    ) -> None:
        """`base` is of `kb.open`, `kb.connect` or, where it is only awaited, `kb.connect_async`."""
        self.base = base
        self.settings = Settings(as_of, k, mode, exact, filters)
        super().__init__(**rest)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _nodes(search(self.base, query_bundle.query_str, self.settings))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _nodes(await search_async(self.base, query_bundle.query_str, self.settings))


def _nodes(answer: Answer) -> list[NodeWithScore]:
    return [NodeWithScore(node=_node(hit), score=hit.score) for hit in answer.hits]


def _node(hit: Hit) -> TextNode:
    facts = metadata(hit)
    return TextNode(
        id_=hit.chunk_id,
        text=hit.text,
        metadata=facts,
        excluded_embed_metadata_keys=list(facts),
        excluded_llm_metadata_keys=[name for name in facts if name not in _FOR_MODELS],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit.document_id)},
        start_char_idx=hit.provenance.start,
        end_char_idx=hit.provenance.end,
    )
