"""Making the image of a table, and bringing it up to date.

Rows that are new are read; those that were written anew, to end or to lie elsewhere, are known again by their chunk;
those that are gone live at no version any more.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kb.batches import batches
from kb.memory import give_back
from kb.nouns import FOREVER
from kb.store.blocks import Block, count_words, joined, rounded
from kb.store.image import Image
from kb.store.known import Facts, Ids
from kb.store.rows import ROW_ID, vectors

if TYPE_CHECKING:
    from lancedb.table import AsyncTable

    from kb.store.candidates import Pinned

_FACTS: Final = np.dtype([("chunk_id", "V16"), ("since", "i4"), ("until", "i4")])
_COLUMNS: Final = ("tokens", "vector")
_READ_AT_ONCE: Final = 4_096
"""Rows: what is made of more at once takes hundreds of megabytes meanwhile."""
_BLOCK: Final = 65_536
"""Rows that one block is made of where there are as many."""
_SMALL: Final = 8
"""Smaller ones, before they are joined."""
_LARGER_MOST: Final = 1.3
_SPARE: Final = 4 * _BLOCK
"""Times as many rows, and so many more, are held or looked at in vain; then the image is made anew."""


async def follow(pinned: "Pinned", before: Image | None, upto: int) -> Image:
    """The image of the table as it is pinned; `before` is one of another version of it.

    Snapshots up to `upto` are published.
    """
    ids = await _present(pinned.table)
    facts = await pinned.known.facts(pinned.table, ids)
    # Aside, for others wait for the event loop.
    kept = await asyncio.to_thread(_kept, before, ids, facts)
    places, blocks = [kept.places], list(kept.blocks)
    # Rows that live and die together stand together: what no row of a version stands among need not be looked at.
    for some in (kept.living, kept.ended):
        async for new, block in _blocks(pinned.table, some):
            places.append(new)
            blocks.append(block)
    return await asyncio.to_thread(_image, pinned, upto, np.concatenate(places), blocks, ids, facts)


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What of an image holds on: the ids of its rows now, and the blocks; and the ids of rows that it lacks."""

    places: Ids
    blocks: Sequence[Block]
    living: Ids
    ended: Ids
    """Either in the order of the versions that they came with."""


def _kept(before: Image | None, ids: Ids, facts: Facts) -> _Kept:
    places: Ids = np.zeros(0, np.uint64)
    blocks: Sequence[Block] = ()
    if before is not None and not _scattered(before, len(ids)):
        places, blocks = _moved(before, ids, facts), before.blocks
    new = np.flatnonzero(~np.isin(ids, places))
    ordered = new[np.argsort(facts["since"][new], kind="stable")]
    lives = facts["until"][ordered] == FOREVER
    if not blocks:
        give_back()
    return _Kept(places, blocks, ids[ordered[lives]], ids[ordered[~lives]])


def _image(pinned: "Pinned", upto: int, places: Ids, blocks: Sequence[Block], ids: Ids, facts: Facts) -> Image:
    fewer = _fewer(blocks)
    lengths = np.concatenate([np.zeros(0, np.int32), *(block.words.lengths for block in fewer)])
    return Image(pinned, upto, places, _placed(places, ids, facts), lengths, fewer)


def _scattered(image: Image, present: int) -> bool:
    """Whether the image holds many rows that are gone, or what lives stands among many that have ended."""
    living = image.select(image.facts["until"] == FOREVER)
    among = sum(len(part.block) for part in living.parts)
    return any(
        held > _LARGER_MOST * needed + _SPARE
        for held, needed in ((len(image.ids), present), (among, len(living.places)))
    )


async def _present(table: "AsyncTable") -> Ids:
    """The ids of all rows, ascending."""
    found: pa.Table = await table.query().with_row_id().select([]).to_arrow()
    ids: Ids = np.sort(found[ROW_ID].to_numpy())
    return ids


def _placed(places: Ids, ids: Ids, facts: Facts) -> Facts:
    """What an image knows of the rows in the places; `ids` are those of the facts, ascending."""
    found = np.zeros(len(places), _FACTS)
    if len(ids):
        at = np.minimum(np.searchsorted(ids, places), len(ids) - 1)
        there = ids[at] == places
        for name in _FACTS.names or ():
            found[name][there] = facts[name][at[there]]
    return found


def _moved(image: Image, ids: Ids, facts: Facts) -> Ids:
    """The ids of the image's rows, present ones of those that were written anew: to end, or to lie elsewhere.

    Rows of snapshots that were not published may have been taken back, and come again with other words.
    """
    since = image.facts["since"]
    gone = np.flatnonzero(~np.isin(image.ids, ids) & (since > 0) & (since <= image.upto))
    new = np.flatnonzero(~np.isin(ids, image.ids))
    found = pc.index_in(_names(facts[new]), value_set=_names(image.facts[gone]))
    again = found.is_valid().to_numpy(zero_copy_only=False)
    moved = image.ids.copy()
    moved[gone[found.drop_null().to_numpy()]] = ids[new[again]]
    return moved


def _names(facts: Facts) -> pa.FixedSizeBinaryArray:
    """A chunk that lives from a version on is one row, wherever it stands."""
    named = np.empty(len(facts), [("chunk_id", "V16"), ("since", "i4")])
    named["chunk_id"], named["since"] = facts["chunk_id"], facts["since"]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(named.itemsize), len(named), [None, pa.py_buffer(named)])


async def _blocks(table: "AsyncTable", ids: Ids) -> AsyncIterator[tuple[Ids, Block]]:
    """Blocks of those rows, each with the rows' ids in its order."""
    read: list[tuple[Ids, Block]] = []
    for some in batches(ids.tolist(), _READ_AT_ONCE):
        rows = await table.take_row_ids(some).with_row_id().select(list(_COLUMNS)).to_arrow()
        read.append(await asyncio.to_thread(_block, rows))
        if sum(len(block) for _, block in read) >= _BLOCK:
            yield await asyncio.to_thread(_joined, read)
            read = []
    if read:
        yield await asyncio.to_thread(_joined, read)


def _block(rows: pa.Table) -> tuple[Ids, Block]:
    block = Block(rounded(vectors(rows)), count_words(rows["tokens"].combine_chunks()))
    # A copy: a view would keep all that was read with it.
    return rows[ROW_ID].to_numpy().copy(), block


def _joined(read: Sequence[tuple[Ids, Block]]) -> tuple[Ids, Block]:
    ids, block = np.concatenate([ids for ids, _ in read]), joined([block for _, block in read])
    give_back()
    return ids, block


def _fewer(blocks: Sequence[Block]) -> Sequence[Block]:
    """The same rows in the same order; where many blocks are small, those that stand side by side are joined."""
    if sum(len(block) < _BLOCK for block in blocks) <= _SMALL:
        return blocks
    runs = [(small, list(run)) for small, run in groupby(blocks, lambda block: len(block) < _BLOCK)]
    return [block for small, run in runs for block in ([joined(run)] if small else run)]
