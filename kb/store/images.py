"""The image of a table that is at hand: it is made and brought up to date aside, while the indexes are searched."""

import asyncio
import os
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache

from kb.access import Groups
from kb.store.image import Image, Selection
from kb.store.imaging import follow

if TYPE_CHECKING:
    from kb.store.candidates import Pinned, Request

_ASKED_LEAST: Final = 3
"""Searches of a process before it makes one: a command that asks once is done before it would be."""
_ROWS_LEAST: Final = 5_000
"""Of fewer, the indexes name what is asked for as quickly."""
_ROW_BYTES: Final = 400
"""Of a row, beside a byte for each dimension of its vector."""
_MEMORY_MOST: Final = 0.125
"""Of the machine's memory: greater tables are searched by their indexes alone."""
_LOOKED_EVERY_S: Final = 1.0
"""How long it is used without a look whether the table has moved on."""
_SELECTIONS: Final = 16


class Images:
    """For one event loop, but for `settled`: between two awaits it is whole."""

    def __init__(self) -> None:
        self._asked = 0
        self._image: Image | None = None
        self._looked = 0.0
        self._making: asyncio.Task[None] | None = None
        self._failed = -1
        """The version of the table of which none could be made."""
        self._open: LRUCache[tuple[int, int, Groups], Selection] = LRUCache(_SELECTIONS)

    def settled(self, request: "Request") -> Image | None:
        """The image, where it surely holds all that the request is among, and was looked after lately. For any thread.

        What one may see who may not see all is ruled by the table as it stands, which must be looked at.
        """
        image = self._image
        if image is None or request.condition is not None or request.keys is not None or request.version > image.upto:
            return None
        return image if time.monotonic() - self._looked < _LOOKED_EVERY_S else None

    def at_hand(self, pinned: "Pinned", request: "Request") -> Image | None:
        """The image, where it holds all that the request is among; None where there is none yet, or shall be none."""
        self._asked += 1
        self._looked = time.monotonic()
        image = self._image
        if image is not None and image.pinned.version == pinned.version:
            # Who asks for a snapshot has seen it published.
            self._image = image = replace(image, upto=max(image.upto, request.version))
            return image
        wanted = image is not None or self._asked > _ASKED_LEAST
        if wanted and self._making is None and self._failed != pinned.version and _worth(pinned):
            self._making = asyncio.create_task(self._follow(pinned, request.version))
        return self.settled(request)

    async def _follow(self, pinned: "Pinned", upto: int) -> None:
        try:
            self._image = await follow(pinned, self._image, upto)
        except Exception as error:
            # The indexes go on answering, and the next version of the table is another try.
            self._failed = pinned.version
            warnings.warn(f"searches go by the indexes, for rows cannot be held in memory: {error}", stacklevel=1)
        finally:
            self._making = None

    async def make(self, pinned: "Pinned", upto: int) -> None:
        """Has it at hand by the end, unless there shall be none; snapshots up to `upto` are published."""
        if _worth(pinned):
            self._image = await follow(pinned, self._image, upto)

    async def visible(self, image: Image, request: "Request") -> Selection:
        """The rows of the image that live at the request's version and that its keys open."""
        version, keys = request.version, request.keys
        if keys is None:
            return image.living(version)
        known = (image.pinned.version, version, keys)
        found: Selection | None = self._open.get(known)
        if found is None:
            chosen = image.living(version).chosen.copy()
            chosen[chosen] = await image.pinned.census.chosen(image.pinned, version, keys, image.ids[chosen])
            self._open[known] = found = image.select(chosen)
        return found

    def forget(self, image: "Pinned") -> None:
        """That of a version of the table whose files are gone."""
        if self._image is not None and self._image.pinned is image:
            self._image = None


def _worth(pinned: "Pinned") -> bool:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return pinned.rows >= _ROWS_LEAST and pinned.rows * (_ROW_BYTES + pinned.dimensions) < _MEMORY_MOST * memory
