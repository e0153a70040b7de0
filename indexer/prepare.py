"""From a document's bytes to its layout: extract, then chunk, in one of the pool's processes."""

from dataclasses import dataclass
from functools import lru_cache

from indexer.chunker import chunk
from indexer.extract import extract
from kb.embedding.load import tokeniser
from kb.embedding.protocol import Tokeniser
from kb.layout import Layout, lay_out


@dataclass(frozen=True, slots=True)
class Task:
    """A document to be prepared; `model` names the embedder whose tokeniser measures the passages."""

    content: bytes
    uri: str
    media_type: str | None
    model: str
    boilerplate: bool = False
    """Whether the main text is to be told from what surrounds it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document's text and passages, and what its own bytes say of it."""

    layout: Layout
    title: str | None
    media_type: str


def prepare(task: Task) -> Prepared:
    """Raises ExtractionError or NotADocument."""
    extracted = extract(task.content, task.uri, task.media_type, boilerplate=task.boilerplate)
    passages = chunk(extracted, _tokeniser(task.model))
    return Prepared(lay_out(extracted.text, passages), extracted.title, extracted.media_type)


def weigh(task: Task) -> int:
    """Light documents may travel together."""
    return len(task.content)


@lru_cache(maxsize=1)
def _tokeniser(model: str) -> Tokeniser:
    return tokeniser(model)
