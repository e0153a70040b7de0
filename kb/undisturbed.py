"""Reading catalog and store together while old versions expire: what no kept version needs vanishes under a reader."""

from collections.abc import Callable
from typing import TypeVar

from kb.catalog import Catalog, Connection, snapshots

T = TypeVar("T")


def undisturbed(catalog: Catalog, look: Callable[[Connection], T]) -> T:
    """What a look finds; where versions expired meanwhile it is taken again, so that theirs ends with Expired.

    Versions are marked before anything of theirs goes. So where a new transaction finds no new mark, all was there.
    """
    while True:
        before = None
        try:
            with catalog.reading() as connection:
                before = snapshots.count_expired(connection)
                found = look(connection)
        except Exception:
            # Whatever it was that vanished, the error says nothing of why.
            if before is None or before == _expired(catalog):
                raise
        else:
            if before == _expired(catalog):
                return found


def _expired(catalog: Catalog) -> int:
    with catalog.reading() as connection:
        return snapshots.count_expired(connection)
