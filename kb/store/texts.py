"""The table of document texts with their passages, stored once by digest."""

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock
from typing import Any, Final

import pyarrow as pa
from cachetools import LRUCache

from kb.layout import Layout
from kb.memory import give_back
from kb.store.addressed import Addressed
from kb.store.chunks import bytes_of
from kb.store.lance import Lance
from kb.store.outlines import outline_of, read_outlines
from kb.store.reader import patiently

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
REMEMBERED: Final = 800_000
"""Passages whose places are remembered: some 70 MB. To read those of ten documents takes 5 ms."""
_ROWS_AT_ONCE: Final = 1_024


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
        return found | self._remember(outline for rows in read for outline in read_outlines(rows))

    def learn(self) -> None:
        """Remembers the outlines of all layouts, of the newest where there is no room for all."""

        def learn() -> None:
            query = self._table.search().select(list(_OUTLINE)).limit(None)
            for rows in query.to_batches(batch_size=_ROWS_AT_ONCE):
                self._remember(read_outlines(rows))

        patiently(learn)
        give_back()

    def write(self, layouts: Iterable[Layout], since: int) -> None:
        """Stores those layouts that are not there yet, and remembers their outlines: what is new is soon asked for."""
        wanted = {layout.key: layout for layout in layouts}
        known = self._known(wanted)
        # Added, not merged: a merge takes several times as long, and nobody else writes.
        new = [_row(layout, since) for key, layout in wanted.items() if key not in known]
        if new:
            self._table.add(pa.Table.from_pylist(new, schema=SCHEMA))
        self._remember(outline_of(layout) for layout in wanted.values())

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
