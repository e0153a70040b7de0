"""One look at one source: it is watched, and followed to where it stands now; and what is told of that."""

from collections.abc import Sequence
from dataclasses import replace

from indexer.daemon.log import Log
from indexer.daemon.orders import Looked, Order
from indexer.daemon.retry import failed, succeeded
from indexer.daemon.watches import Watches
from indexer.run import run
from indexer.session import Session
from indexer.sync import SourceSync, Synced
from kb.catalog.standings import Standing
from kb.clock import now
from kb.errors import DeletionRefused, Interrupted, KBError, NotFound
from kb.nouns import Source


def look(session: Session, source: Source, orders: Sequence[Order], watches: Watches) -> Looked:
    """Raises nothing: whatever went wrong is in what it returns."""
    message = next((order.message for order in reversed(orders) if order.message), None)
    synced = Synced()
    try:
        work = SourceSync(session, source, message, any(order.allow_deletes for order in orders))
        synced = work.synced
        # Watched first: what changes from here on is told, what changed before is seen.
        run(session.home, session.catalog, source, work, lambda connector: watches.follow(source, connector))
    except Exception as error:
        return Looked(synced, error)
    return Looked(synced)


def standing_after(before: Standing, looked: Looked, chance: float) -> Standing:
    """How the source stands after the look."""
    after = before
    if looked.error is None:
        after = succeeded(before)
    elif not isinstance(looked.error, Interrupted):
        helps = not isinstance(looked.error, KBError) or looked.error.retry_helps
        guarded = isinstance(looked.error, DeletionRefused)
        after = failed(before, now(), chance, guarded=guarded, helps=helps)
    if looked.synced.published:
        after = replace(after, changed_at=looked.synced.published[-1].committed_at)
    return replace(after, running_since=None)


def tell(log: Log, name: str, looked: Looked, before: Standing, after: Standing, took_s: float) -> None:
    """One line for each decision that somebody may ask about."""
    for snapshot in looked.synced.published:
        documents, chunks = snapshot.documents, snapshot.chunks
        log.info(
            "published",
            source=name,
            version=snapshot.version,
            documents=f"+{documents.added} ~{documents.changed} -{documents.removed}",
            embedded=chunks.embedded,
            reused=chunks.reused,
            seconds=round(took_s, 3),
        )
    if looked.synced.permitted:
        log.info("permitted", source=name, documents=looked.synced.permitted)
    for document in looked.synced.quarantined:
        log.warning("quarantined", source=name, uri=document.uri, reason=document.reason, detail=document.detail)
    if isinstance(looked.error, Interrupted | NotFound):
        log.info("abandoned", source=name, reason=str(looked.error))
    elif looked.error is not None:
        _tell_failure(log, name, looked.error, before, after)
    elif before.failures:
        log.info("recovered", source=name, failures=before.failures)


def _tell_failure(log: Log, name: str, error: Exception, before: Standing, after: Standing) -> None:
    what = "guard tripped" if after.guarded else "failed"
    retry = after.retry_at.isoformat(timespec="seconds") if after.retry_at else None
    log.error(what, source=name, error=str(error) or type(error).__name__, failures=after.failures, retry_at=retry)
    if after.opened_at and not before.opened_at:
        log.error("circuit opened", source=name, failures=after.failures, remedy=f"mend it, then run kb sync {name}")
