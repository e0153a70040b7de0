"""What the tools are asked and answer with; `search` and `fetch` in the shape that ChatGPT's connectors need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from kb.answers import Served
from kb.nouns import DocumentVersion, Mode, Snapshot

_STRICT = ConfigDict(extra="forbid")
_Reference = Annotated[
    str, Field(description="A version: head, head~2, 42, a tag, a date or time, SOURCE@REVISION or SOURCE@DATE.")
]
_Document = Annotated[str, Field(description="SOURCE:URI, a document's id, or an id that `search` gave.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAsked:
    """Finds the passages that best answer a question, as of any version of the knowledge base."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    query: Annotated[str, Field(description="The question, or words to look for.")]
    as_of: _Reference = "head"
    k: Annotated[int, Field(ge=1, le=100, description="How many passages.")] = 10
    mode: Annotated[Mode, Field(description="How to search: by meaning (dense), by words (bm25), or both.")] = "hybrid"
    filters: Annotated[
        Mapping[str, list[str]],
        Field(
            default_factory=dict,
            description="Several values of a key: any; several keys: all. Keys: source, uri, media_type and section "
            "(globs), modified_after, modified_before, or a name of the documents' metadata.",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchAsked:
    """Gives a document's whole text as of the version that its id names."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: Annotated[str, Field(description="An id that `search` gave.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsAsked:
    """Lists the versions that are kept, newest first: what each added, changed and removed."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    limit: Annotated[int, Field(ge=1, le=1000, description="How many.")] = 20
    source: Annotated[str | None, Field(description="Only those of this source.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffAsked:
    """Tells what differs between two versions: documents, passages, or a question's results."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    before: _Reference
    after: _Reference = "head"
    level: Literal["documents", "chunks", "results"] = "documents"
    text: Annotated[bool, Field(description="With unified diffs of the documents' texts.")] = False
    queries: Annotated[
        tuple[str, ...], Field(description="For the level results: questions whose results are compared.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked:
    """Lists the versions of one document, oldest first."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    document: _Document


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """`text` is `[start:end]` of the document's text."""

    text: str
    start: int
    end: int
    section: tuple[str, ...]
    page: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """A document with the passages that were found in it, best first."""

    id: str
    title: str
    url: str
    source: str
    passages: tuple[FoundPassage, ...]


@dataclass(frozen=True, slots=True)
class SearchTold:
    as_of: Served
    results: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class FetchTold:
    id: str
    title: str
    text: str
    url: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VersionsTold:
    versions: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class HistoryTold:
    versions: tuple[DocumentVersion, ...]
