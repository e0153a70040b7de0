"""What BM25 must know of the rows that a caller may see: their number, their tokens, and how many hold each term.

The version's own statistics count every row, and a caller could work out from its own documents' scores how many
others hold a word. So they are counted over the rows that are open to it. Of each row is remembered what never changes
(a row that is changed is written anew, under another row id): its life span, its length and its access list, so that
only rows that were never met are read. The rows of a term are asked of the full-text index, once for each version of
the table.
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
from kb.store.known import Ids

if TYPE_CHECKING:
    from kb.store.candidates import Pinned

Chosen = np.ndarray[tuple[int], np.dtype[np.bool_]]
Facts = np.ndarray[tuple[int, int], np.dtype[np.int32]]
Places = np.ndarray[tuple[int], np.dtype[np.int32]]
_COLUMNS: Final = ["since", "until", "tokens", "access"]
_CHOICES: Final = 32
_PLACES: Final = 10_000_000
"""Of the rows of all terms together: 40 MB."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`frequencies` holds the number of rows with each of the terms asked for."""

    rows: int
    tokens: int
    frequencies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of a version of the table, by row id: `since`, `until`, tokens, and where in `lists` theirs stands."""

    version: int = -1
    ids: Ids = field(default_factory=lambda: np.zeros(0, np.uint64))
    facts: Facts = field(default_factory=lambda: np.zeros((0, 4), np.int32))
    lists: tuple[Groups, ...] = ()
    open_: LRUCache[tuple[int, Groups], Chosen] = field(default_factory=lambda: LRUCache(_CHOICES))
    """Rows that were chosen before."""
    holders: LRUCache[str, Places] = field(default_factory=lambda: LRUCache(_PLACES, getsizeof=len))
    """Of terms that were asked for: where in `ids` stand the rows that hold them."""

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
        if known.version != pinned.version:
            self._known = known = await _followed(pinned, known)
        return known


async def _followed(pinned: "Pinned", known: Known) -> Known:
    """What is known, with the rows that came since read, and those that are gone dropped."""
    rows = await pinned.table.query().with_row_id().select([]).to_arrow()
    present = np.sort(rows["_rowid"].to_numpy())
    stayed = np.isin(known.ids, present, assume_unique=True)
    new = np.setdiff1d(present, known.ids, assume_unique=True)
    if not len(new):
        return Known(pinned.version, known.ids[stayed], known.facts[stayed], known.lists)
    ids, facts, lists = _facts(await _read(pinned, new), known.lists)
    ids, facts = np.concatenate([known.ids[stayed], ids]), np.concatenate([known.facts[stayed], facts])
    order = np.argsort(ids)
    return Known(pinned.version, ids[order], facts[order], lists)


async def _read(pinned: "Pinned", ids: Ids) -> pa.Table:
    if 4 * len(ids) > pinned.rows:
        found: pa.Table = await pinned.table.query().with_row_id().select(_COLUMNS).to_arrow()
        return found.filter(pa.array(np.isin(found["_rowid"].to_numpy(), ids)))
    taken: pa.Table = await pinned.table.take_row_ids(ids.tolist()).with_row_id().select(_COLUMNS).to_arrow()
    return taken


def _facts(rows: pa.Table, lists: tuple[Groups, ...]) -> tuple[Ids, Facts, tuple[Groups, ...]]:
    places = {one: place for place, one in enumerate(lists)}
    access = [places.setdefault(tuple(one), len(places)) for one in rows["access"].to_pylist()]
    # Tokens are joined by single spaces.
    spaces = pc.count_substring(rows["tokens"], " ").to_numpy()
    tokens = np.where(pc.equal(rows["tokens"], "").to_numpy(), 0, spaces + 1)
    columns = (rows["since"].to_numpy(), rows["until"].to_numpy(), tokens, np.array(access))
    return rows["_rowid"].to_numpy(), np.stack(columns, axis=1).astype(np.int32), tuple(places)


async def _holders(pinned: "Pinned", known: Known, term: str) -> Places:
    """Where among the known rows those stand that hold the term."""
    places = known.holders.get(term)
    if places is None:
        query = pinned.table.query().with_row_id().select(["_score"]).limit(max(1, pinned.rows))
        found = (await query.nearest_to_text(term).to_arrow())["_rowid"].to_numpy()
        places = np.searchsorted(known.ids, found).astype(np.int32)
        # One that is greater than all that may be remembered is not.
        if len(places) <= known.holders.maxsize:
            known.holders[term] = places
    return places
