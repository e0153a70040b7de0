"""Retrievers for other frameworks, over an opened or a connected knowledge base; each needs its extra."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.integrations.langchain import LangChainRetriever
    from kb.integrations.llamaindex import LlamaIndexRetriever

__all__ = ["LangChainRetriever", "LlamaIndexRetriever"]

_PLACES = {
    "LangChainRetriever": ("kb.integrations.langchain", "langchain"),
    "LlamaIndexRetriever": ("kb.integrations.llamaindex", "llamaindex"),
}
"""Module and extra."""


def __getattr__(name: str) -> Any:
    # Looked up on first use: one framework's retriever must not ask for the other framework.
    if name not in _PLACES:
        raise AttributeError(f"module 'kb.integrations' has no attribute {name!r}")
    module, extra = _PLACES[name]
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: install palimpsest[{extra}]") from error
