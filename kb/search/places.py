"""Where texts stand: the places of all chunks that hold them, with the proof of where they come from."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from kb.catalog import documents
from kb.digest import chunk_id
from kb.errors import Corrupt
from kb.layout import Layout
from kb.nouns import FOREVER, DocumentVersion, Passage, Provenance
from kb.search.candidates import Candidates, visible
from kb.search.query import Query, View
from kb.search.texts import Place, Scored, Text
from kb.store.rows import Row


def place(view: View, query: Query, found: Candidates, wanted: Sequence[Scored]) -> list[Text]:
    """The wanted texts with all of their places that the caller may see. Raises Corrupt."""
    chunks = {one.chunk_id for one in wanted}
    own = [row for row in found.rows if row.chunk_id in chunks]
    texts = {row.text_sha256: row.text for row in own}
    copied = texts.keys() if found.copied is None else texts.keys() & found.copied
    rows: list[Row] = [row for row in own if row.text_sha256 not in copied]
    if copied:
        rows += view.table.holders(copied, visible(view, query))
    places = _places(view, rows)
    # Whom a document is for may have changed since the candidates were read.
    seen = (one for one in wanted if one.text_sha256 in places)
    return [Text(texts[one.text_sha256], one.score, one.scores, places[one.text_sha256]) for one in seen]


def _places(view: View, rows: Sequence[Row]) -> dict[str, tuple[Place, ...]]:
    """By the digest of the text, each text's in their order."""
    owners = documents.some_at(view.connection, view.snapshot.version, {row.document_id for row in rows})
    outlines = view.store.texts.outlines(owner.layout for owner in owners.values())
    texts = {row.text_sha256 for row in rows}
    indexes = {name: _indexes(owner, outlines.get(owner.layout), texts) for name, owner in owners.items()}
    found: dict[str, list[Place]] = defaultdict(list)
    for row in rows:
        owner = owners[row.document_id]
        index = indexes[owner.document_id].get(row.chunk_id)
        if index is None:
            chunk = f"chunk {row.chunk_id}"
            raise Corrupt(f"{chunk} is not a passage of {owner.source}:{owner.uri}: run `kb verify`")
        provenance = _provenance(view, row, owner, outlines[owner.layout].passages[index])
        found[row.text_sha256].append(Place(row.chunk_id, owner, index, provenance))
    return {digest: tuple(sorted(places, key=lambda one: one.order)) for digest, places in found.items()}


def _indexes(owner: DocumentVersion, outline: Layout | None, texts: Collection[str]) -> dict[str, int]:
    """Which passage of the document each chunk of the texts is: equal ones are told apart by their occurrence."""
    seen: Counter[str] = Counter()
    found = {}
    for index, cut in enumerate(outline.cuts if outline else ()):
        if cut in texts:
            found[chunk_id(owner.document_id, cut, seen[cut])] = index
            seen[cut] += 1
    return found


def _provenance(view: View, row: Row, owner: DocumentVersion, passage: Passage) -> Provenance:
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
        text_sha256=row.text_sha256,
        version=view.snapshot.version,
        since=row.since,
        until=None if row.until == FOREVER else row.until,
        fingerprint=owner.fingerprint,
        embedder=view.pipeline(owner.fingerprint).embedder,
    )
