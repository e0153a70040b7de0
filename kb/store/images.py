"""The image of a table that is at hand: it is made and brought up to date aside, while the indexes are searched."""

import asyncio
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kb.memory import give_back, held_at_most
from kb.store.image import Image, Selection
from kb.store.imaging import follow
from kb.store.lance import gone

if TYPE_CHECKING:
    from kb.store.candidates import Pinned, Request

_ASKED_LEAST: Final = 3
"""Searches of a process before it makes one: a command that asks once is done before it would be."""
_ROWS_LEAST: Final = 5_000
"""Of fewer, the indexes name what is asked for as quickly."""
_ROW_BYTES: Final = 1_000
"""Of a row with 150 different words, beside a byte for each dimension of its vector."""
_MEMORY_MOST: Final = 0.125
"""Of the memory that there is: greater tables are searched by their indexes alone."""
_LOOKED_EVERY_S: Final = 1.0
"""How long it is used without a look whether the table has moved on: so late one may learn until when a row lives."""
_RESTS: Final = 3.0
"""Times as long as it took to bring it up to date nobody does so again: who publishes all the time is not outrun."""


class Images:
    """For one event loop, but for `ready`: between two awaits it is whole."""

    def __init__(self) -> None:
        self._asked = 0
        self._image: Image | None = None
        self._looked = 0.0
        self._making: asyncio.Task[None] | None = None
        self._failed = -1
        """The version of the table of which none could be made."""
        self._rests_until = 0.0

    def ready(self, request: "Request") -> Image | None:
        """The image, where it surely holds all that the request is among, and the table was looked at lately.

        For any thread. What one may see who may not see all is ruled by the table as it stands: it must be looked at.
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
        if not _worth(pinned) or self._failed == pinned.version:
            # Nothing follows it any more.
            self._image = None
        elif wanted and self._making is None and time.monotonic() >= self._rests_until:
            self._making = asyncio.create_task(self._follow(pinned, request.version))
        return self.ready(request)

    async def make(self, pinned: "Pinned", upto: int) -> None:
        """Has it at hand by the end, unless there shall be none; snapshots up to `upto` are published."""
        if _worth(pinned):
            await self._follow(pinned, upto)

    async def _follow(self, pinned: "Pinned", upto: int) -> None:
        before, began = self._image, time.monotonic()
        try:
            made = await follow(pinned, before, upto if before is None else max(upto, before.upto))
            # Another may have been quicker.
            if self._image is None or self._image.pinned.version <= pinned.version:
                self._image = made
            if before is None:
                await asyncio.to_thread(give_back)
        except Exception as error:
            # The indexes go on answering; and where files were only cleaned away meanwhile, it is tried again.
            if not gone(error):
                self._failed = pinned.version
                warnings.warn(f"searches go by the indexes, for rows cannot be held in memory: {error}", stacklevel=1)
        finally:
            self._making = None
            self._rests_until = time.monotonic() + _RESTS * (time.monotonic() - began)

    async def visible(self, image: Image, request: "Request") -> Selection:
        """The rows of the image that live at the request's version and that its keys open."""
        version, keys = request.version, request.keys
        if keys is None:
            return image.living(version)
        found = image.remembered(version, keys)
        if found is None:
            chosen = image.living(version).chosen.copy()
            chosen[chosen] = await image.pinned.census.chosen(image.pinned, version, keys, image.ids[chosen])
            found = await asyncio.to_thread(image.select, chosen)
            image.remember(version, keys, found)
        return found

    def forget(self, pinned: "Pinned") -> None:
        """The image of the table as it was pinned: its files are gone."""
        if self._image is not None and self._image.pinned is pinned:
            self._image = None


def _worth(pinned: "Pinned") -> bool:
    needed = pinned.rows * (_ROW_BYTES + pinned.dimensions)
    return pinned.rows >= _ROWS_LEAST and needed < _MEMORY_MOST * held_at_most()
