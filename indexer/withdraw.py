"""A source's documents leave the head, whatever its guard says; older versions keep them."""

from indexer.session import Session
from indexer.sync import SourceSync
from kb.nouns import Snapshot, Source


def withdraw(session: Session, source: Source) -> Snapshot | None:
    """The snapshot that is published; None where the source had no documents."""
    work = SourceSync(session, source, f"source {source.name} removed", allow_deletes=True)
    work.withdraw()
    return next(iter(work.synced.published), None)
