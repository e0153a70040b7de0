"""A knowledge base held against the model: all that every kept version answers, and that every expired one refuses."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from reference_model import Expected, History, Piece, Place, copies, folded, pieces, sha256

import kb
from kb.errors import Expired
from kb.layout import Layout, chunk_ids
from kb.nouns import DocumentVersion, Hit, Mode, Provenance, Snapshot
from kb.pipeline import Pipeline
from kb.search.query import MOST_HITS
from kb.store.conditions import alive

QUERIES = ["refund period", "alpha alpha Beta", "返品期間", "the goods", "nowhere 'found'", "maxTokens of the customer"]
MODES: tuple[Mode, ...] = ("hybrid", "dense", "bm25")


class Comparison:
    """Looks at all versions each time, with the next query of the list each time."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._turn = 0
        self._log: dict[int, Snapshot] = {}

    def check(self, base: kb.KnowledgeBase, tags: Mapping[str, int]) -> None:
        """Raises AssertionError for whatever any version answers otherwise than the model."""
        self._turn += 1
        log = list(base.log(None))[::-1]
        assert all(self._log.setdefault(one.version, one) == one for one in log), "a published snapshot never changes"
        assert [snapshot.version for snapshot in log] == self._history.kept
        assert base.tags() == tags
        for version in self._history.expired:
            self._check_expired(base, version)
        self._check_changes(base)
        documents = {snapshot.version: base.documents(as_of=snapshot.version) for snapshot in log}
        layouts = base.store.texts.get(value.layout for values in documents.values() for value in values)
        names = {version: name for name, version in tags.items()}

        def check_version(snapshot: Snapshot) -> None:
            self._check_documents(base, snapshot, documents[snapshot.version], layouts)
            self._check_rows(base, snapshot)
            self._check_rankings(base, snapshot, names.get(snapshot.version, snapshot.version))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(check_version, log))

    def _check_expired(self, base: kb.KnowledgeBase, version: int) -> None:
        """It is refused, whatever it is asked for, and named with the oldest that is kept."""
        asks: list[Callable[[], object]] = [
            lambda: base.search(QUERIES[0], as_of=version, mode=MODES[self._turn % len(MODES)]),
            lambda: base.documents(as_of=version),
            lambda: base.document("docs:a.md", as_of=version),
            lambda: base.show(version),
            lambda: base.diff(version, "head"),
            lambda: base.diff("head", f"head~{len(self._history.versions) - version}"),
            lambda: base.tag("never", version),
            lambda: base.verify(version),
        ]
        kept = rf"the oldest kept is {self._history.kept[0]}, the nearest is \d+"
        words = rf"^version {version}( \(.*\))? has expired; {kept}$"
        for ask in (asks[self._turn % len(asks)], asks[-1 - self._turn % 3]):
            with pytest.raises(Expired, match=words):
                ask()

    def _check_changes(self, base: kb.KnowledgeBase) -> None:
        """What `show` and `diff` tell of each kept version beside the kept one before it, over any gap."""
        for before, after in pairwise(self._history.kept):
            old, new = self._history.at(before).state, self._history.at(after).state
            changed = {place for place in old.keys() | new.keys() if old.get(place) != new.get(place)}
            found = base.diff(before, after, text=True).documents
            assert {(change.source, change.uri) for change in found} == changed
            for change in found:
                place = change.source, change.uri
                assert change.change == ("added" if place not in old else "removed" if place not in new else "changed")
            shown = base.show(after)
            assert shown.compared_with == before
            assert {(change.source, change.uri) for change in shown.documents} == changed

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
        state = self._history.at(snapshot.version)
        expected = {mode: folded(ranking, state.chunks) for mode, ranking in state.rankings(query).items()}
        for mode in MODES:
            answer = base.search(query, as_of=reference, k=MOST_HITS, mode=mode, exact=True)
            assert (answer.as_of.version, answer.as_of.digest) == (snapshot.version, snapshot.digest)
            assert [(hit.chunk_id, hit.score) for hit in answer] == expected[mode]
            for hit in answer:
                self._check_places(hit, snapshot)
        # Not exact, yet the same at this size; a hybrid search's hits carry the rankings of both sides.
        answer = base.search(query, as_of=reference, k=MOST_HITS)
        assert [(hit.chunk_id, hit.score) for hit in answer] == expected["hybrid"]
        assert {mode: side(answer, mode) for mode in MODES[1:]} == {mode: expected[mode] for mode in MODES[1:]}

    def _check_places(self, hit: Hit, snapshot: Snapshot) -> None:
        """Every place where the text stands, and no other."""
        expected = self._history.at(snapshot.version)
        places = copies(expected.chunks.values())[hit.text]
        assert hit.chunks == (hit.chunk_id,) == (places[0].chunk_id,)
        for piece, proof in zip(places, [hit.provenance, *hit.also], strict=True):
            self._check_proof(piece, proof, expected, snapshot)

    def _check_proof(self, piece: Piece, proof: Provenance, expected: Expected, snapshot: Snapshot) -> None:
        document = expected.state[proof.source, proof.uri]
        assert piece.text == document[proof.start : proof.end]
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
