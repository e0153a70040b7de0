"""The tools' verbs: each answers what it is asked from a knowledge base."""

from collections.abc import Iterable

from kb.answers import Diff, Document
from kb.base import KnowledgeBase
from kb.clock import format_instant
from kb.errors import NotFound
from kb.metrics import observe
from kb.nouns import DocumentVersion, Hit
from kb.tools.place import Place, place
from kb.tools.shapes import (
    DiffAsked,
    FetchAsked,
    FetchTold,
    Found,
    FoundPassage,
    HistoryAsked,
    HistoryTold,
    SearchAsked,
    SearchTold,
    VersionsAsked,
    VersionsTold,
)


def search(base: KnowledgeBase, asked: SearchAsked) -> SearchTold:
    answer = base.search(asked.query, as_of=asked.as_of, k=asked.k, mode=asked.mode, filters=asked.filters)
    observe(answer)
    documents: dict[str, list[Hit]] = {}
    for hit in answer.hits:
        documents.setdefault(hit.document_id, []).append(hit)
    return SearchTold(answer.as_of, tuple(_found(hits, answer.as_of.version) for hits in documents.values()))


def fetch(base: KnowledgeBase, asked: FetchAsked) -> FetchTold:
    document = document_at(base, asked.id)
    found, version = document.version, document.as_of.version
    id_ = str(Place(str(version), found.source, found.uri))
    return FetchTold(id_, found.title or found.uri, document.text, _url(found.uri, id_), _metadata(found, version))


def list_versions(base: KnowledgeBase, asked: VersionsAsked) -> VersionsTold:
    return VersionsTold(tuple(base.log(asked.limit, source=asked.source)))


def diff_versions(base: KnowledgeBase, asked: DiffAsked) -> Diff:
    return base.diff(asked.before, asked.after, level=asked.level, text=asked.text, queries=asked.queries)


def document_history(base: KnowledgeBase, asked: HistoryAsked) -> HistoryTold:
    named = asked.document
    return HistoryTold(tuple(base.history(place(named).document if named.startswith("kb://") else named)))


def document_at(base: KnowledgeBase, uri: str) -> Document:
    """Raises UsageError, NotFound or Expired."""
    named = place(uri)
    try:
        return base.document(named.document, as_of=named.version)
    except NotFound:
        # A client that fills in the template itself may leave an escape of the document's own URI as it is.
        literal = Place(named.version, named.source, uri.split("/", 4)[4])
        if literal == named:
            raise
        return base.document(literal.document, as_of=named.version)


def _found(hits: Iterable[Hit], version: int) -> Found:
    first, *_ = hits = list(hits)
    source, uri = first.provenance.source, first.provenance.uri
    id_ = str(Place(str(version), source, uri))
    return Found(id_, first.provenance.title or uri, _url(uri, id_), source, tuple(map(_passage, hits)))


def _passage(hit: Hit) -> FoundPassage:
    at = hit.provenance
    return FoundPassage(hit.text, at.start, at.end, at.section, at.page, hit.score)


def _url(uri: str, id_: str) -> str:
    """Where people can open it, as far as anybody can; that shows what stands there today."""
    return uri if uri.startswith(("http://", "https://")) else id_


def _metadata(found: DocumentVersion, version: int) -> dict[str, str]:
    """The documents' own metadata cannot hide where the text comes from."""
    known = {
        "source": found.source,
        "uri": found.uri,
        "version": str(version),
        "since": str(found.since),
        "media_type": found.media_type,
        "source_revision": found.source_revision,
        "modified_at": format_instant(found.modified_at) if found.modified_at else None,
        "content_sha256": found.content_sha256,
        "text_sha256": found.text_sha256,
    }
    return {**found.metadata, **{name: value for name, value in known.items() if value is not None}}
