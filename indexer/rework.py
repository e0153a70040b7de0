"""A new embedder or analyser: every living chunk moves to the new space by one snapshot, from what is stored."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from indexer.commit import Occasion, Tables, build, publish, write
from indexer.delta import Delta, diff
from indexer.embed import embed
from indexer.intake import Intake
from indexer.progress import Event
from indexer.session import Session
from indexer.turnover import turn_over
from kb.catalog import documents, snapshots, sources
from kb.clock import now
from kb.embedding.protocol import Embedder, Vectors
from kb.embedding.query import embed_passage
from kb.errors import EmbedderError
from kb.nouns import Snapshot
from kb.pipeline import Pipeline


def move_space(session: Session) -> Snapshot | None:
    """Publishes the move where the head's embedding space is not the pipeline's own; no source is read.

    What extraction and chunking shape is left to each source's own sync. Raises as `require_recorded` does.
    """
    old, moved = space_change(session)
    return None if old is None or moved is None else _move(session, old, moved)


def space_change(session: Session) -> tuple[Pipeline | None, Pipeline | None]:
    """The head's pipeline, and it in the current space where that is another. Raises as `require_recorded` does."""
    old = require_recorded(session)
    moved = old.in_space_of(session.pipeline) if old else None
    return old, None if old is None or moved is None or moved.space == old.space else moved


def require_recorded(session: Session) -> Pipeline | None:
    """The head's pipeline. Raises EmbedderError where its model holds other weights now: a new model has a new name."""
    with session.catalog.reading() as connection:
        head = snapshots.get(connection, snapshots.head(connection))
        parts = snapshots.pipeline_parts(connection, head.fingerprint) if head else None
    if parts is None:
        return None
    old, new = Pipeline.of(parts), session.pipeline
    if new.embedder == old.embedder and new.weights_sha256 != old.weights_sha256:
        found, recorded = new.weights_sha256[:12], old.weights_sha256[:12]
        raise EmbedderError(
            f"the weights of {new.embedder} are {found}…, not the recorded {recorded}…: "
            "restore the recorded model there, or give the new one a place of its own and name it in config.toml"
        )
    return old


def _move(session: Session, old: Pipeline, moved: Pipeline) -> Snapshot:
    message = f"pipeline changed: {', '.join(old.differs(moved))}"
    session.observe(Event("wake", "", message))
    intake = everything(session, moved)
    delta = _exchange(intake)
    known = session.known_vectors(birth.chunk.text_sha256 for birth in delta.born)
    embedded = embed(delta.born, known, lambda: Whole(session.embedder()), session.keep_vectors, session.observe, "")
    tables = Tables(session.table, session.store.chunks(old.space, old.dimensions))
    occasion = Occasion(now(), None, None, None, message)
    with session.catalog.reading() as connection:
        turnover = turn_over(tables.ended, delta)
        commit = build(connection, tables, moved, occasion, intake, delta, embedded, turnover)
    write(session.catalog, session.store, tables, commit, lambda step: session.observe(Event("commit", "", step)))
    with session.catalog.writing() as connection:
        publish(connection, commit)
        sources.trust(connection, old.fingerprint, moved.fingerprint)
    return commit.snapshot


def everything(session: Session, moved: Pipeline) -> Intake:
    """Every living document, closed and opened again as it is."""
    with session.catalog.reading() as connection:
        living = tuple(documents.at(connection, snapshots.head(connection)))
    layouts = session.store.texts.get(value.layout for value in living)
    opened = tuple(replace(value, fingerprint=moved.fingerprint) for value in living)
    return Intake(opened, living, layouts, (), (), (), (), {}, moves=True)


def _exchange(intake: Intake) -> Delta:
    """All chunks end in the old space, and the same ones are born in the new."""
    born = diff(intake.opened, (), intake.layouts, {}).born
    return Delta(born, diff((), intake.closed, {}, intake.layouts).ended)


class Whole:
    """An embedder whose texts may exceed its window, as passages cut for another model do: no end is cut off."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([embed_passage(self._embedder, text) for text in texts])
