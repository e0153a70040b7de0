"""Removing what no kept version needs; what that is follows from the catalog alone, so a sweep may stop anywhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kb.batches import batches
from kb.catalog import Catalog, Connection, documents, expiry, snapshots
from kb.kept import gaps, needed
from kb.store import Store
from kb.store.conditions import between
from kb.store.upkeep import NONE

_GAPS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Burden:
    """How much no kept version needs.

    `bytes` are those of the chunks' texts, tokens and vectors and of the documents' texts, before compression: what
    the disk gets back also depends on indexes, on passages' places, and on how well the files were packed.
    """

    chunks: int
    documents: int
    texts: int
    bytes: int


def weigh(connection: Connection, store: Store, kept: Sequence[int]) -> Burden:
    """What would go if only those versions were kept; writes nothing."""
    chunks = size = 0
    for table in store.spaces():
        for where in _unneeded(kept):
            rows, weight = table.weigh(where)
            chunks, size = chunks + rows, size + weight
    lives = documents.spans(connection)
    spared = {layout for layout, since, until in lives if needed(kept, since, until)}
    gone = sum(not needed(kept, since, until) for _, since, until in lives)
    texts = store.texts.keys(kept[-1]) - spared if kept else set()
    return Burden(chunks, gone, len(texts), size + store.texts.weigh(texts))


def sweep(catalog: Catalog, store: Store, tell: Callable[[str], None]) -> None:
    """Removes it and gives the space back. Belongs to the writer; each step is told before it is taken."""
    with catalog.reading() as connection:
        kept = snapshots.kept(connection)
    for table in store.spaces():
        tell("rows")
        for where in _unneeded(kept):
            table.forget(where)
    tell("documents")
    with catalog.writing() as connection:
        documents.drop_unneeded(connection)
        tell("terms")
        expiry.fold_terms(connection)
    tell("texts")
    with catalog.reading() as connection:
        named = {layout for layout, _, _ in documents.spans(connection)}
        contents = documents.contents(connection)
    store.texts.forget(store.texts.keys(kept[-1]) - named)
    if originals := store.find_originals():
        originals.forget(originals.keys(kept[-1]) - contents)
    tell("space")
    store.upkeep(NONE)
    tell("end")
    with catalog.writing() as connection:
        expiry.settle(connection)


def _unneeded(kept: Sequence[int]) -> Iterator[str]:
    """Filters that together have all rows in whose life no kept version falls."""
    return map(between, batches(gaps(kept), _GAPS_AT_ONCE))
