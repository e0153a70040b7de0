"""What BM25 must know of the rows that a caller may see: their number, their tokens, and how many hold each term.

The version's own statistics count every row, and a caller could work out from its own documents' scores how many
others hold a word. So they are counted over the rows that are open to it. Of each row is remembered what never changes
(a row that is changed is written anew, under another and greater row id): its life span, its length and its access
list, so that only rows that were never met are read. The rows of a term are asked of the full-text index once; among
the rows that come later they are looked for.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache

from kb.access import Groups
from kb.store.blocks import Chosen
from kb.store.known import Ids
from kb.store.rows import ROW_ID

if TYPE_CHECKING:
    from kb.store.candidates import Pinned

Facts = np.ndarray[tuple[int, int], np.dtype[np.int32]]
Places = np.ndarray[tuple[int], np.dtype[np.int32]]
_COLUMNS: Final = ["since", "until", "tokens", "access"]
_UNTIL: Final = 1
_CHOICES: Final = 32
_PLACES: Final = 10_000_000
"""Of the rows of all terms together: 40 MB."""
_CHANGED_MOST: Final = 0.25
"""Where more of the rows came or went since all of them were read, all are read again."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`frequencies` holds the number of rows with each of the terms asked for."""

    rows: int
    tokens: int
    frequencies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Holders:
    """Where among the first `known` rows those stand that hold a term."""

    known: int
    places: Places


@dataclass(frozen=True, slots=True)
class Fresh:
    """Rows that came with one version, the first of them at a place; `tokens` begin and end with a space."""

    first: int
    tokens: pa.ChunkedArray

    def holders(self, term: str) -> Places:
        held = pc.match_substring(self.tokens, f" {term} ").to_numpy()
        found: Places = (self.first + np.flatnonzero(held)).astype(np.int32)
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of a version of the table, by row id: `since`, `until`, tokens, and where in `lists` theirs stands.

    Rows that are gone keep their places, and live at no version.
    """

    version: int = -1
    ids: Ids = field(default_factory=lambda: np.zeros(0, np.uint64))
    facts: Facts = field(default_factory=lambda: np.zeros((0, 4), np.int32))
    lists: tuple[Groups, ...] = ()
    fresh: tuple[Fresh, ...] = ()
    holders: LRUCache[str, Holders] = field(default_factory=lambda: LRUCache(_PLACES, lambda held: len(held.places)))
    """Of terms that were asked for."""
    open_: LRUCache[tuple[int, Groups], Chosen] = field(default_factory=lambda: LRUCache(_CHOICES))
    """Rows that were chosen before."""

    def chosen(self, version: int, keys: Groups) -> Chosen:
        """The rows that live at the version and that the keys open."""
        found = self.open_.get((version, keys))
        if found is None:
            self.open_[version, keys] = found = self._choose(version, keys)
        return found

    def _choose(self, version: int, keys: Groups) -> Chosen:
        opened = np.array([not set(keys).isdisjoint(one) for one in self.lists], np.bool_)
        since, until, _, lists = self.facts.T
        found: Chosen = (since <= version) & (until > version) & opened[lists]
        return found


class Census:
    """Twenty-four bytes a row. For one event loop: between two awaits it is whole."""

    def __init__(self) -> None:
        self._known = Known()

    async def count(self, pinned: "Pinned", version: int, keys: Groups, terms: Iterable[str]) -> Counted:
        """Over the rows that live at the version and that the keys open."""
        known = await self._followed(pinned)
        wanted = sorted(set(terms))
        places = await asyncio.gather(*(_holders(pinned, known, term) for term in wanted))
        chosen = known.chosen(version, keys)
        frequencies = {term: int(np.count_nonzero(chosen[held])) for term, held in zip(wanted, places, strict=True)}
        rows, tokens = np.count_nonzero(chosen), known.facts[chosen, 2].sum(dtype=np.int64)
        return Counted(int(rows), int(tokens), frequencies)

    async def chosen(self, pinned: "Pinned", version: int, keys: Groups, ids: Ids) -> Chosen:
        """Which of the rows, by their ids, live at the version and are open by the keys."""
        known = await self._followed(pinned)
        found: Chosen = known.chosen(version, keys)[np.searchsorted(known.ids, ids)]
        return found

    async def _followed(self, pinned: "Pinned") -> Known:
        known = self._known
        if known.version == pinned.version:
            return known
        found = await _followed(pinned, known)
        # A search that began before another may still look at an older version: that is its own.
        if found.version > self._known.version:
            self._known = found
        return found


async def _followed(pinned: "Pinned", known: Known) -> Known:
    """What is known, with the rows that came since read, and those that are gone living no more."""
    rows = await pinned.table.query().with_row_id().select([]).to_arrow()
    present = np.sort(rows[ROW_ID].to_numpy())
    new = np.setdiff1d(present, known.ids, assume_unique=True)
    gone = ~np.isin(known.ids, present, assume_unique=True)
    changed = len(new) + np.count_nonzero(gone) + sum(len(one.tokens) for one in known.fresh)
    if pinned.version < known.version or changed > _CHANGED_MOST * len(present):
        every = await pinned.table.query().with_row_id().select(_COLUMNS).to_arrow()
        return Known(pinned.version, *_facts(every, ()))
    facts = known.facts.copy()
    facts[gone, _UNTIL] = 0
    if not len(new):
        return Known(pinned.version, known.ids, facts, known.lists, known.fresh, known.holders)
    taken = await pinned.table.take_row_ids(new.tolist()).with_row_id().select(_COLUMNS).to_arrow()
    taken = taken.sort_by(ROW_ID)
    ids, more, lists = _facts(taken, known.lists)
    return Known(
        pinned.version,
        np.concatenate([known.ids, ids]),
        np.concatenate([facts, more]),
        lists,
        (*known.fresh, Fresh(len(known.ids), pc.binary_join_element_wise("", taken["tokens"], "", " "))),
        known.holders,
    )


def _facts(rows: pa.Table, lists: tuple[Groups, ...]) -> tuple[Ids, Facts, tuple[Groups, ...]]:
    """In the order of the rows' ids."""
    places = {one: place for place, one in enumerate(lists)}
    access = [places.setdefault(tuple(one), len(places)) for one in rows["access"].to_pylist()]
    # Tokens are joined by single spaces.
    spaces = pc.count_substring(rows["tokens"], " ").to_numpy()
    tokens = np.where(pc.equal(rows["tokens"], "").to_numpy(), 0, spaces + 1)
    facts = np.stack([rows["since"].to_numpy(), rows["until"].to_numpy(), tokens, np.array(access)], axis=1)
    ids = rows[ROW_ID].to_numpy()
    order = np.argsort(ids)
    return ids[order], facts[order].astype(np.int32), tuple(places)


async def _holders(pinned: "Pinned", known: Known, term: str) -> Places:
    """Where among the known rows those stand that hold the term."""
    held = known.holders.get(term)
    if held is None:
        query = pinned.table.query().with_row_id().select(["_score"]).limit(max(1, pinned.rows))
        found = (await query.nearest_to_text(term).to_arrow())[ROW_ID].to_numpy()
        held = Holders(len(known.ids), np.sort(np.searchsorted(known.ids, found)).astype(np.int32))
    elif held.known < len(known.ids):
        later = (one.holders(term) for one in known.fresh if one.first >= held.known)
        held = Holders(len(known.ids), np.concatenate([held.places, *later]))
    # One that is greater than all that may be remembered is not.
    if len(held.places) <= known.holders.maxsize:
        known.holders[term] = held
    return held.places[: np.searchsorted(held.places, len(known.ids))]
