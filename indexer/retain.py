"""Retention: versions that no rule keeps expire in one transaction, then what they alone needed is removed."""

from dataclasses import dataclass
from datetime import datetime

from indexer.progress import Event
from indexer.session import Session
from indexer.sweep import Burden, sweep, weigh
from kb.catalog import Catalog, Connection, expiry, snapshots
from kb.clock import now
from kb.nouns import Snapshot
from kb.retention import Policy, keep
from kb.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that is kept, and the rules that keep it: `head`, `last`, `hourly`, ... `within`, `tagged`."""

    version: int
    committed_at: datetime
    tags: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retention:
    """What a retention kept and let expire, and what went with that; with `dry_run`, what would."""

    dry_run: bool
    kept: tuple[Kept, ...]
    expired: tuple[Snapshot, ...]
    removed: Burden


def foresee(catalog: Catalog, store: Store, policy: Policy) -> Retention:
    """What the policy would do; writes nothing and needs no lock."""
    with catalog.reading() as connection:
        kept, expired = _choose(connection, policy)
        burden = weigh(connection, store, [one.version for one in kept]) if expired else Burden(0, 0, 0, 0)
        return Retention(True, kept, expired, burden)


def retain(session: Session, policy: Policy) -> Retention:
    """Applies the policy. Stopped anywhere, the next session of the writer does the rest."""

    def tell(step: str) -> None:
        session.observe(Event("retain", "", step))

    tell("expire")
    with session.catalog.writing() as connection:
        # Chosen within the transaction: a tag is set by readers, too, and must not come too late.
        kept, expired = _choose(connection, policy)
        if not expired:
            return Retention(False, kept, (), Burden(0, 0, 0, 0))
        expiry.expire(connection, [snapshot.version for snapshot in expired], now())
        tell("expired")
    with session.catalog.reading() as connection:
        removed = weigh(connection, session.store, [one.version for one in kept])
    sweep(session.catalog, session.store, tell)
    return Retention(False, kept, expired, removed)


def _choose(connection: Connection, policy: Policy) -> tuple[tuple[Kept, ...], tuple[Snapshot, ...]]:
    """What is kept and what expires, both oldest first."""
    candidates = {candidate.version: candidate for candidate in expiry.candidates(connection)}
    rules = keep(list(candidates.values()), policy)
    kept = tuple(Kept(one, candidates[one].time, candidates[one].tags, rules[one]) for one in rules)
    records = snapshots.newest(connection, None)
    return kept, tuple(snapshot for snapshot in reversed(records) if snapshot.version not in rules)
