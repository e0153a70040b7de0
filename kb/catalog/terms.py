"""Document frequencies as of any version, kept as one delta per term and version.

What is asked for is a term, so the deltas stand in the order of terms. A publish would have to write all over that
table: it appends to another one, in the order of versions, which upkeep empties into the first. Every sum is over both.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import JSON, ColumnElement, Integer, Table, cast, delete, func, insert, literal, select

from kb.batches import batches
from kb.catalog.catalog import Connection
from kb.catalog.pairs import pairs
from kb.catalog.schema import recent_term, term

_RECENT: Final = 20
"""Versions that stay apart, at least: each costs a query a look for each of its terms."""
_AT_ONCE: Final = 20
"""Versions whose deltas are moved in one transaction, for which other writers wait."""


def add_deltas(connection: Connection, version: int, deltas: Mapping[str, int]) -> None:
    # All by one value: row by row, an insert of thousands takes more than twice as long; in the table's own order.
    kept = {word: delta for word, delta in sorted(deltas.items()) if delta}
    each = pairs(connection, literal(kept, JSON))
    rows = select(literal(version), each.c.key, cast(each.c.value, Integer))
    connection.execute(insert(recent_term).from_select(["version", "term", "delta"], rows))


def settle(connection: Connection, recent: int = _RECENT) -> bool:
    """Moves the oldest deltas that stand apart, where more than so many versions do; whether there were any."""
    low, high = connection.execute(select(func.min(recent_term.c.version), func.max(recent_term.c.version))).one()
    if low is None or high - low < recent:
        return False
    oldest = recent_term.c.version < low + _AT_ONCE
    columns = [recent_term.c[column.name] for column in term.c]
    moved = select(*columns).where(oldest).order_by(recent_term.c.term, recent_term.c.version)
    connection.execute(insert(term).from_select(list(term.c), moved))
    connection.execute(delete(recent_term).where(oldest))
    return True


def frequencies(connection: Connection, version: int, terms: Iterable[str]) -> dict[str, int]:
    """How many chunks that live at the version hold each term; terms that none holds are left out."""
    first = connection.scalar(select(func.min(recent_term.c.version)))
    # Each by name: for a range of versions all of their terms would be read.
    recent = range(first, version + 1) if first is not None else range(0)
    found: Counter[str] = Counter()
    for batch in batches(set(terms)):
        _add(found, connection, term, term.c.term.in_(batch), term.c.version <= version)
        for versions in batches(recent):
            _add(found, connection, recent_term, recent_term.c.version.in_(versions), recent_term.c.term.in_(batch))
    return {word: count for word, count in found.items() if count}


def deltas_between(connection: Connection, after: int, upto: int) -> dict[str, int]:
    """By how much each term's frequency changed over the versions (after, upto]; unchanged ones are left out."""
    found: Counter[str] = Counter()
    for table in (term, recent_term):
        _add(found, connection, table, table.c.version > after, table.c.version <= upto)
    return {word: delta for word, delta in found.items() if delta}


def _add(found: Counter[str], connection: Connection, table: Table, *within: ColumnElement[bool]) -> None:
    query = select(table.c.term, func.sum(table.c.delta)).where(*within).group_by(table.c.term)
    # PostgreSQL sums integers up to decimals.
    found.update({word: int(count) for word, count in connection.execute(query)})
