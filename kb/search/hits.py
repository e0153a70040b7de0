"""Hits: chunks brought home with their texts and the proof of where they come from."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from kb.catalog import documents
from kb.digest import chunk_id
from kb.errors import Corrupt
from kb.layout import Layout
from kb.nouns import FOREVER, DocumentVersion, Hit, Passage, Provenance, Scores
from kb.search.query import View
from kb.search.ranking import Ranking

_COLUMNS: Final = ["chunk_id", "document_id", "text", "text_sha256", "since", "until"]


def hits(view: View, rows: pa.Table, ranking: Ranking, parts: Mapping[str, Scores]) -> tuple[Hit, ...]:
    """The ranking's chunks as hits; `rows` are those of its chunks and of others."""
    version = view.snapshot.version
    ranks = {chunk: rank for rank, (chunk, _) in enumerate(ranking, 1)}
    wanted = [at for at, chunk in enumerate(rows["chunk_id"].to_pylist()) if chunk in ranks]
    found = {row["chunk_id"]: row for row in rows.select(_COLUMNS).take(pa.array(wanted, pa.int64())).to_pylist()}
    owners = documents.some_at(view.connection, version, {row["document_id"] for row in found.values()})
    outlines = view.store.texts.outlines(owner.layout for owner in owners.values())
    made = []
    for chunk, score in ranking:
        row = found[chunk]
        owner = owners[row["document_id"]]
        passage = _passage(row, owner, outlines.get(owner.layout))
        provenance = _provenance(row, owner, passage, version, view.pipeline(owner.fingerprint).embedder)
        made.append(Hit(ranks[chunk], score, parts[chunk], row["text"], chunk, row["document_id"], provenance))
    return tuple(made)


def _passage(row: Mapping[str, Any], owner: DocumentVersion, outline: Layout | None) -> Passage:
    """The chunk's place in its document: of the passages with its text, the one whose occurrence makes its id."""
    placed = zip(outline.cuts, outline.passages, strict=True) if outline else ()
    equal = (passage for cut, passage in placed if cut == row["text_sha256"])
    for occurrence, passage in enumerate(equal):
        if chunk_id(owner.document_id, row["text_sha256"], occurrence) == row["chunk_id"]:
            return passage
    raise Corrupt(f"chunk {row['chunk_id']} is not a passage of {owner.source}:{owner.uri}: run `kb verify`")


def _provenance(
    row: Mapping[str, Any], owner: DocumentVersion, passage: Passage, version: int, embedder: str
) -> Provenance:
    return Provenance(
        source=owner.source,
        uri=owner.uri,
        title=owner.title,
        section=passage.section,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        source_revision=owner.source_revision,
        modified_at=owner.modified_at,
        content_sha256=owner.content_sha256,
        text_sha256=row["text_sha256"],
        version=version,
        since=row["since"],
        until=None if row["until"] == FOREVER else row["until"],
        fingerprint=owner.fingerprint,
        embedder=embedder,
    )
