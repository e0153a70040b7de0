"""The facets that were ever indexed: globs are resolved by them, and filters that cannot be are known by them."""

from collections.abc import Iterable

from sqlalchemy import insert, select

from kb.catalog.batches import batched_in
from kb.catalog.catalog import Connection
from kb.catalog.schema import facet
from kb.digest import digest
from kb.facets import GLOBBED, parted


def add(connection: Connection, facets: Iterable[str]) -> None:
    """Those that are not known yet. Of what is never globbed the name suffices: it may have a value per document."""
    wanted = {}
    for name, value in map(parted, set(facets)):
        kept = value if name in GLOBBED else ""
        wanted[digest("facet", name, kept)[:32]] = {"name": name, "value": kept}
    known = {row["facet_id"] for row in batched_in(connection, select(facet.c.facet_id), facet.c.facet_id, wanted)}
    rows = [{"facet_id": key, **row} for key, row in wanted.items() if key not in known]
    if rows:
        connection.execute(insert(facet), rows)


def names(connection: Connection) -> set[str]:
    return set(connection.scalars(select(facet.c.name).distinct()))


def values(connection: Connection, name: str) -> list[str]:
    """Every value of a facet that is filtered by with globs."""
    return list(connection.scalars(select(facet.c.value).where(facet.c.name == name).order_by(facet.c.value)))
