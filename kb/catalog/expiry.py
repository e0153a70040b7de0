"""What retention does to the catalog: versions are marked, and their statistics folded into the next kept one's."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, insert, or_, select, update

from kb.batches import batches
from kb.catalog import names, snapshots, terms
from kb.catalog.catalog import Connection
from kb.catalog.schema import setting, snapshot, term
from kb.kept import first_kept, last_kept_before
from kb.retention import Candidate

_STRETCHES_AT_ONCE: Final = 100
_UNSWEPT: Final = "unswept"
"""Stands from the moment that versions expire until all that they alone needed is gone."""


def candidates(connection: Connection) -> list[Candidate]:
    """The kept versions, with what a policy asks of them."""
    tags: dict[int, list[str]] = {}
    for name, version in names.tags(connection).items():
        tags.setdefault(version, []).append(name)
    query = select(snapshot.c.version, snapshot.c.committed_at).where(snapshot.c.expired_at.is_(None))
    rows = connection.execute(query.order_by(snapshot.c.version))
    return [Candidate(row.version, row.committed_at, tuple(tags.get(row.version, ()))) for row in rows]


def expire(connection: Connection, versions: Sequence[int], moment: datetime) -> None:
    """From this transaction on readers refuse the versions."""
    for batch in batches(versions):
        connection.execute(update(snapshot).where(snapshot.c.version.in_(batch)).values(expired_at=moment))
    settle(connection)
    connection.execute(insert(setting).values(key=_UNSWEPT, value="yes"))


def unswept(connection: Connection) -> bool:
    """Whether versions have expired whose rows, texts or files may still be there."""
    return connection.scalar(select(setting.c.value).where(setting.c.key == _UNSWEPT)) is not None


def settle(connection: Connection) -> None:
    connection.execute(delete(setting).where(setting.c.key == _UNSWEPT))


def fold_terms(connection: Connection) -> None:
    """Adds expired versions' deltas to the next kept one's, so that every kept version sums up to what it did."""
    while terms.settle(connection, recent=0):
        pass
    kept = snapshots.kept(connection)
    expired = select(snapshot.c.version).where(snapshot.c.expired_at.is_not(None))
    stale = connection.scalars(select(term.c.version).where(term.c.version.in_(expired)).distinct())
    targets = sorted({first_kept(kept, version) for version in stale})
    for batch in batches(targets, _STRETCHES_AT_ONCE):
        _fold(connection, kept, batch)


def _fold(connection: Connection, kept: Sequence[int], targets: Sequence[int]) -> None:
    stretches = [(last_kept_before(kept, target) or 0, target) for target in targets]
    within = or_(*(and_(term.c.version > after, term.c.version <= upto) for after, upto in stretches))
    sums: Counter[tuple[str, int]] = Counter()
    for row in connection.execute(select(term).where(within)):
        sums[row.term, first_kept(targets, row.version)] += row.delta
    connection.execute(delete(term).where(within))
    folded = [{"term": word, "version": version, "delta": delta} for (word, version), delta in sums.items() if delta]
    if folded:
        connection.execute(insert(term), folded)
