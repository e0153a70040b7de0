"""Document frequencies as of any version, kept as one delta per term and version."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, insert, select

from kb.batches import batches
from kb.catalog.catalog import Connection
from kb.catalog.schema import term


def add_deltas(connection: Connection, version: int, deltas: Mapping[str, int]) -> None:
    # In the table's own order: in another one, an insert of thousands takes a third longer.
    rows = [{"term": word, "version": version, "delta": delta} for word, delta in sorted(deltas.items()) if delta]
    if rows:
        connection.execute(insert(term), rows)


def frequencies(connection: Connection, version: int, terms: Iterable[str]) -> dict[str, int]:
    """How many chunks that live at the version hold each term; terms that none holds are left out."""
    found: dict[str, int] = {}
    for batch in batches(set(terms)):
        query = (
            select(term.c.term, func.sum(term.c.delta))
            .where(term.c.term.in_(batch), term.c.version <= version)
            .group_by(term.c.term)
        )
        found.update({word: count for word, count in connection.execute(query) if count})
    return found


def deltas_between(connection: Connection, after: int, upto: int) -> dict[str, int]:
    """By how much each term's frequency changed over the versions (after, upto]; unchanged ones are left out."""
    query = (
        select(term.c.term, func.sum(term.c.delta))
        .where(term.c.version > after, term.c.version <= upto)
        .group_by(term.c.term)
    )
    return {word: delta for word, delta in connection.execute(query) if delta}
