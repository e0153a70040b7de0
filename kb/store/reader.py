"""A table as readers see it: by LanceDB's asynchronous layer, whose queries run side by side."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from kb.access import Groups
from kb.store.caches import CACHES
from kb.store.candidates import Found, Pinned, Request, find, read
from kb.store.census import Census, Counted
from kb.store.image import Image, Selection
from kb.store.images import Images
from kb.store.known import KnownRows
from kb.store.lance import Lance, gone
from kb.store.loop import loop
from kb.store.overlook import overlook
from kb.store.remembered import RememberedRows
from kb.store.rows import ROW_ID

if TYPE_CHECKING:
    from lancedb.table import AsyncTable

T = TypeVar("T")
_TENDED_EVERY: Final = 100
"""Versions of the table."""


class Reader:
    """For any number of threads. It sees other processes' commits at once."""

    def __init__(self, lance: Lance, name: str) -> None:
        self._lance = lance
        self._name = name
        self._pinned: Pinned | None = None
        self._followed = 0
        """Versions of the table that were pinned."""
        self._known = KnownRows()
        self._census = Census()
        self._remembered = RememberedRows(self._known)
        self._images = Images()

    def read(self, where: str, columns: Sequence[str]) -> pa.Table:
        """All rows of the filter, in no order."""

        async def scan() -> pa.Table:
            table = await self._table()
            found: pa.Table = await table.query().where(where).select(list(columns)).to_arrow()
            return found

        return patiently(lambda: loop().run(scan()))

    def make_image(self, upto: int) -> None:
        """Of the table as it stands, where that is worth it; snapshots up to `upto` are published."""

        async def make() -> None:
            await self._images.make(await self._pin(), upto)

        patiently(lambda: loop().run(make()))

    def overlook(self, request: Request) -> Found | None:
        """What both sides name, by the image of the table; None where none is at hand."""
        image = self._images.ready(request)
        if image is not None:
            living = image.living(request.version)
            return overlook(image, living, living, request)
        selected = patiently(lambda: loop().run(self._selected(request)))
        return overlook(*selected, request) if selected is not None else None

    async def _selected(self, request: Request) -> tuple[Image, Selection, Selection] | None:
        """The image, and what of it is visible and meets the request's condition."""
        image = self._images.at_hand(await self._pin(), request)
        if image is None:
            return None
        visible = await self._images.visible(image, request)
        if request.condition is None:
            return image, visible, visible
        meeting = image.pinned.table.query().where(request.where).with_row_id().select([])
        ids = (await meeting.to_arrow())[ROW_ID].to_numpy()
        return image, visible, await asyncio.to_thread(lambda: image.select(visible.chosen & image.among(ids)))

    def find(self, request: Request, matches: int) -> Found:
        """The same by the indexes, of one version of the table."""

        async def look() -> Found:
            return await find(await self._pin(), request, matches)

        return patiently(lambda: loop().run(look()))

    def read_on(self, found: Found, row_ids: Iterable[int]) -> Found:
        """Of that version, too; whoever looks and reads on does both `patiently`."""
        return loop().run(read(found, row_ids))

    def count(self, version: int, keys: Groups, terms: Iterable[str]) -> Counted:
        """What BM25 must know of the rows that live at the version and that the keys open."""

        async def look() -> Counted:
            return await self._census.count(await self._pin(), version, keys, terms)

        return patiently(lambda: loop().run(look()))

    async def _table(self) -> "AsyncTable":
        return await self._lance.read(self._name)

    async def _pin(self) -> Pinned:
        version = await (await self._table()).version()
        if self._pinned is None or self._pinned.version != version:
            self._followed += 1
            if self._followed % _TENDED_EVERY == 0:
                CACHES.tend()
            table = await self._lance.open(self._name)
            await table.checkout(version)
            rows = await table.count_rows()
            dimensions = (await table.schema()).field("vector").type.list_size
            self._pinned = Pinned(
                table, version, rows, dimensions, self._known, self._census, self._remembered, self._images
            )
        return self._pinned


def patiently(look: Callable[[], T]) -> T:
    """Looks once more where a file of an older table version was cleaned away meanwhile: the rows answer the same."""
    try:
        return look()
    except (OSError, RuntimeError, ValueError) as error:
        if not gone(error):
            raise
        return look()
