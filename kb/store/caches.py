"""LanceDB's caches, one for all of a process, and begun anew when most of what they hold is of the past.

Every version of a table and every upkeep of an index leaves in them what only older versions need. They would hold
that until they are full, a gigabyte: so much a process would grow by that publishes all day, or follows one that does.
"""

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lancedb import Session

_INDEX_BYTES: Final = 2**30
_METADATA_BYTES: Final = 32 * 2**20
"""What describes a table's versions and files."""
_SPARE_BYTES: Final = 16 * 2**20


class Caches:
    """For any number of threads."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._settled: int | None = None
        """Bytes, when they were first looked at."""
        self._renewing = Lock()

    @property
    def session(self) -> "Session":
        """What to connect with. Whoever finds another than before connects anew, and lets the old one go."""
        with self._renewing:
            if self._session is None:
                from lancedb import Session

                self._session = Session(index_cache_size_bytes=_INDEX_BYTES, metadata_cache_size_bytes=_METADATA_BYTES)
            return self._session

    def tend(self) -> None:
        """Begins anew where half as much again is held as at the first look, and some more; for now and then."""
        size = self.session.size_bytes
        with self._renewing:
            if self._settled is None:
                self._settled = size
            elif size > 1.5 * self._settled + _SPARE_BYTES:
                self._session = self._settled = None


CACHES: Final = Caches()
