"""A knowledge base held against the model: every version that was ever published, in all that it answers."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from reference_model import History, Place, pieces, sha256

import kb
from kb.layout import Layout, chunk_ids
from kb.nouns import DocumentVersion, Hit, Mode, Snapshot
from kb.pipeline import Pipeline
from kb.search.search import MOST_HITS
from kb.store.chunks import alive

QUERIES = ["refund period", "alpha alpha Beta", "返品期間", "the goods", "nowhere 'found'", "maxTokens of the customer"]
MODES: tuple[Mode, ...] = ("hybrid", "dense", "bm25")


class Comparison:
    """Looks at all versions each time, with the next query of the list each time."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._turn = 0
        self._log: list[Snapshot] = []

    def check(self, base: kb.KnowledgeBase, tags: Mapping[str, int]) -> None:
        """Raises AssertionError for whatever any version answers otherwise than the model."""
        self._turn += 1
        log = list(base.log(None))[::-1]
        assert log[: len(self._log)] == self._log, "a published snapshot never changes"
        assert [snapshot.version for snapshot in log] == list(range(1, len(self._history.versions) + 1))
        assert base.tags() == tags
        self._log = log
        documents = {snapshot.version: base.documents(as_of=snapshot.version) for snapshot in log}
        layouts = base.store.texts.get(value.layout for values in documents.values() for value in values)
        names = {version: name for name, version in tags.items()}

        def check_version(snapshot: Snapshot) -> None:
            self._check_documents(base, snapshot, documents[snapshot.version], layouts)
            self._check_rows(base, snapshot)
            self._check_rankings(base, snapshot, names.get(snapshot.version, snapshot.version))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(check_version, log))

    def _check_documents(
        self,
        base: kb.KnowledgeBase,
        snapshot: Snapshot,
        documents: Iterable[DocumentVersion],
        layouts: Mapping[str, Layout],
    ) -> None:
        """The documents, and the chunks that their layouts make."""
        state = self._history.at(snapshot.version).state
        found = {(value.source, value.uri): value for value in documents}
        assert {place: layouts[value.layout].text for place, value in found.items()} == state
        assert snapshot.documents.total == len(state)
        for place, value in found.items():
            layout, model = layouts[value.layout], pieces(place, state[place])
            assert value.content_sha256 == value.text_sha256 == sha256(state[place])
            spans = [(passage.start, passage.end, passage.section) for passage in layout.passages]
            assert spans == [(piece.start, piece.end, piece.section) for piece in model]
            assert list(chunk_ids(value.document_id, layout.cuts)) == [piece.chunk_id for piece in model]
        # One of them, and in time all, by the way that users go.
        for source, uri in sorted(found)[self._turn % max(1, len(found)) :][:1]:
            assert base.document(f"{source}:{uri}", as_of=snapshot.version).text == state[source, uri]

    def _check_rows(self, base: kb.KnowledgeBase, snapshot: Snapshot) -> None:
        expected = self._history.at(snapshot.version).chunks
        pipeline = Pipeline.of(base.show(snapshot.version).pipeline)
        table = base.store.chunks(pipeline.space, pipeline.dimensions)
        batches = table.scan(alive(snapshot.version), ["chunk_id", "source", "uri", "text", "since", "facets"])
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert len(rows) == len(expected) == snapshot.chunks.total
        for row in rows:
            piece = expected[row["chunk_id"]]
            assert (row["source"], row["uri"], row["text"]) == (*piece.place, piece.text)
            assert tuple(row["facets"]) == piece.facets
            assert row["since"] == self._history.life(piece.chunk_id, snapshot.version)[0]

    def _check_rankings(self, base: kb.KnowledgeBase, snapshot: Snapshot, reference: str | int) -> None:
        query = QUERIES[self._turn % len(QUERIES)]
        expected = self._history.at(snapshot.version).rankings(query)
        for mode in MODES:
            answer = base.search(query, as_of=reference, k=MOST_HITS, mode=mode, exact=True)
            assert (answer.as_of.version, answer.as_of.digest) == (snapshot.version, snapshot.digest)
            assert [(hit.chunk_id, hit.score) for hit in answer] == expected[mode]
            for hit in answer:
                self._check_proof(hit, snapshot)
        # Not exact, yet the same at this size; a hybrid search's hits carry the rankings of both sides.
        answer = base.search(query, as_of=reference, k=MOST_HITS)
        assert [(hit.chunk_id, hit.score) for hit in answer] == expected["hybrid"]
        assert {mode: side(answer, mode) for mode in MODES[1:]} == {mode: expected[mode] for mode in MODES[1:]}

    def _check_proof(self, hit: Hit, snapshot: Snapshot) -> None:
        expected = self._history.at(snapshot.version)
        piece, proof = expected.chunks[hit.chunk_id], hit.provenance
        document = expected.state[proof.source, proof.uri]
        assert hit.text == piece.text == document[proof.start : proof.end]
        assert (proof.source, proof.uri) == piece.place
        assert (proof.start, proof.end, proof.section) == (piece.start, piece.end, piece.section)
        assert (proof.content_sha256, proof.text_sha256) == (sha256(document), sha256(piece.text))
        assert (proof.since, proof.until) == self._history.life(piece.chunk_id, snapshot.version)
        assert (proof.version, proof.embedder) == (snapshot.version, f"hashing:{expected.dimensions}")


def side(hits: Iterable[Hit], mode: str) -> list[tuple[str, float]]:
    """The ranking of one side of a hybrid search."""
    found = [(getattr(hit.scores, f"{mode}_rank"), hit.chunk_id, getattr(hit.scores, mode)) for hit in hits]
    return [(chunk, score) for _, chunk, score in sorted(ranked for ranked in found if ranked[0] is not None)]


def content(base: kb.KnowledgeBase) -> dict[Place, object]:
    """Each document of the head, and its chunks' ids, texts and spans."""
    found = base.documents()
    layouts = base.store.texts.get(value.layout for value in found)
    return {
        (value.source, value.uri): (
            value.title,
            value.media_type,
            value.content_sha256,
            chunk_ids(value.document_id, layouts[value.layout].cuts),
            layouts[value.layout],
        )
        for value in found
    }


def check_rebuilt(base: kb.KnowledgeBase, again: kb.KnowledgeBase) -> None:
    """Indexed from the final state alone, the content is the same to the digest."""
    before, after = ([*one.log()][:1] for one in (base, again))
    # A history may end with nothing; from nothing, nothing is published.
    if after or before[0].documents.total:
        assert content(again) == content(base)
        assert after[0].content_digest == before[0].content_digest
