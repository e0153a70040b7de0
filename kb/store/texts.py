"""The table of document texts with their passages, stored once by digest."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Lock
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache

from kb.layout import Layout
from kb.nouns import Passage
from kb.store.addressed import Addressed
from kb.store.chunks import bytes_of
from kb.store.lance import Lance

_PASSAGE = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("section", pa.list_(pa.string())),
        pa.field("page", pa.int32()),
        pa.field("text_sha256", pa.string(), nullable=False),
    ]
)
SCHEMA = pa.schema(
    [
        pa.field("layout", pa.string(), nullable=False),
        pa.field("since", pa.int32(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("passages", pa.list_(_PASSAGE), nullable=False),
    ]
)
_OUTLINE: Final = ("layout", "text_sha256", "passages")
REMEMBERED: Final = 150_000
"""Passages whose places are remembered: some 60 MB. To read those of ten documents takes 5 ms."""


class TextTable(Addressed):
    """Layouts by their key."""

    def __init__(self, lance: Lance, name: str, remembered: int) -> None:
        super().__init__(lance, name, "layout")
        self._outlines: LRUCache[str, Layout] = LRUCache(remembered, getsizeof=lambda layout: len(layout.cuts))
        self._knowing = Lock()

    def get(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys, whole."""
        outlines = self.outlines(keys := set(keys))
        texts = {
            key: text
            for rows in self._found(keys, ("layout", "text"))
            for key, text in zip(rows["layout"].to_pylist(), rows["text"].to_pylist(), strict=True)
        }
        # What was removed between the two looks is in neither.
        return {key: replace(outlines[key], text=text) for key, text in texts.items() if key in outlines}

    def outlines(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys with an empty text: a long text costs, and its passages' places often suffice.

        For any number of threads.
        """
        wanted = set(keys)
        with self._knowing:
            found = {key: outline for key in wanted if (outline := self._outlines.get(key)) is not None}
        read = self._found(wanted - found.keys(), _OUTLINE)
        return found | self._remember(outline for rows in read for outline in _outlines(rows))

    def write(self, layouts: Iterable[Layout], since: int) -> None:
        """Stores those layouts that are not there yet, and remembers their outlines: what is new is soon asked for."""
        wanted = {layout.key: layout for layout in layouts}
        known = self._known(wanted)
        # Added, not merged: a merge takes several times as long, and nobody else writes.
        new = [_row(layout, since) for key, layout in wanted.items() if key not in known]
        if new:
            self._table.add(pa.Table.from_pylist(new, schema=SCHEMA))
        self._remember(_outline(layout) for layout in wanted.values())

    def weigh(self, keys: Iterable[str]) -> int:
        """The bytes of the texts of those layouts, before any compression."""
        return sum(bytes_of(rows["text"]) for rows in self._found(keys, ["text"]))

    def _remember(self, outlines: Iterable[Layout]) -> dict[str, Layout]:
        new = {outline.key: outline for outline in outlines}
        with self._knowing:
            for key, outline in new.items():
                # One that is greater than all that may be remembered is not.
                if len(outline.cuts) <= self._outlines.maxsize:
                    self._outlines[key] = outline
        return new


def _row(layout: Layout, since: int) -> dict[str, Any]:
    passages = [
        {"start": p.start, "end": p.end, "section": list(p.section), "page": p.page, "text_sha256": cut}
        for p, cut in zip(layout.passages, layout.cuts, strict=True)
    ]
    return {
        "layout": layout.key,
        "since": since,
        "text_sha256": layout.text_sha256,
        "text": layout.text,
        "passages": passages,
    }


def _outlines(rows: pa.Table) -> Iterator[Layout]:
    # Column by column: a Python object for each passage's row takes three times as long.
    passages = rows["passages"].combine_chunks()
    columns = [passages.flatten().field(name).to_pylist() for name in ("start", "end", "section", "page")]
    cuts = passages.flatten().field("text_sha256").to_pylist()
    # Of equal sections one is held.
    sections: dict[tuple[str, ...], tuple[str, ...]] = {}
    placed = [
        Passage(start, end, sections.setdefault(tuple(section), tuple(section)), page)
        for start, end, section, page in zip(*columns, strict=True)
    ]
    lasts = np.cumsum(pc.list_value_length(passages).to_numpy()).tolist()
    keys = zip(rows["layout"].to_pylist(), rows["text_sha256"].to_pylist(), strict=True)
    for (key, digest), first, last in zip(keys, [0, *lasts], lasts, strict=False):
        yield Layout(key, digest, "", tuple(placed[first:last]), tuple(cuts[first:last]))


def _outline(layout: Layout) -> Layout:
    return replace(layout, text="")
