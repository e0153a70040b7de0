"""The daemon: it wakes for every source, has those that are due looked at side by side, and stops when it is told to.

What matters is in the catalog. What is in memory, wakes and retries, may be lost at any moment: at the start every
source is looked at, whatever anybody may have missed.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from indexer.daemon.agenda import Agenda
from indexer.daemon.followed import Changes, Followed
from indexer.daemon.log import Log
from indexer.daemon.look import look, standing_after, tell
from indexer.daemon.orders import Looked, Order, Orders
from indexer.daemon.readiness import Readiness
from indexer.daemon.standings import Standings
from indexer.daemon.steps import ClockSteps
from indexer.daemon.tending import Tending
from indexer.daemon.watches import Watches
from indexer.extract.shared import SharedPool
from indexer.progress import Event, Observer, unobserved
from indexer.retain import Retention, retain
from indexer.rework import move_space
from indexer.schedule import Schedule
from indexer.session import Session
from indexer.sync import Synced
from indexer.withdraw import withdraw
from indexer.writer import Writer
from kb.catalog import pending
from kb.catalog.standings import Standing
from kb.clock import now
from kb.errors import Interrupted, KBError, NotFound
from kb.home import Home
from kb.nouns import Snapshot, Source
from kb.retention import Policy

TICK_S: Final = 1.0
"""How often it is seen whether somebody changed the sources, or the clock."""
GRACE_S: Final = 5.0
"""How long a stop waits for what is under way."""
_SLOW_S: Final = 5.0
"""A look that takes longer is shown as running, and keeps upkeep from nothing."""
_HALF_OPEN_S: Final = 5.0
"""So long after a wake is a source tried whose circuit is open."""
_THREADS: Final = 10_000
_FINISHED: Final = ("commit", "publish", "permit")
"""Steps that a stop lets come to their end."""


class Daemon:
    """For whoever holds the writer's lock. `run` returns when `stop` was called, by a thread or a signal's handler."""

    def __init__(
        self,
        home: Home,
        log: Log,
        observe: Observer = unobserved,
        pool: SharedPool | None = None,
        present: Callable[[], datetime] = now,
    ) -> None:
        self.writer = Writer(home)
        self.catalog = self.writer.catalog
        self.readiness = Readiness()
        self._pool = pool or SharedPool.of(home.config)
        self._session = Session(home, self.catalog, self._pool, self._observe)
        self.model = self._session.model
        self._log = log
        self._observed = observe
        self._agenda = Agenda()
        self._changed = threading.Condition()
        self._orders = Orders()
        self._stopping = threading.Event()
        self._refreshed = 0.0
        self._refreshing = threading.Lock()
        self._followed = Followed(self.catalog)
        self._standings = Standings(self.catalog)
        self._steps = ClockSteps(present)
        # Extraction's processes end with the thread that began them, so threads stay; no source waits for a free one.
        self._threads = ThreadPoolExecutor(_THREADS, "kb-look")
        self._tending = Tending(self._session, self._threads, log)
        self._watches = Watches(self.wake, log)
        self._schedule = Schedule(self._wake_by_schedule, present)

    # From any thread

    def wake(self, name: str) -> None:
        """Something may have changed at the source."""
        moment = time.monotonic()
        with self._changed:
            if self._standings.is_open(name):
                self._agenda.look_at(name, moment + _HALF_OPEN_S)
            else:
                self._agenda.wake(name, moment)
            self._changed.notify()

    def wake_all(self) -> None:
        for name in self._followed.known:
            self.wake(name)

    def stop(self) -> None:
        """May be called by a signal's handler."""
        self._stopping.set()

    def order(self, name: str, message: str | None, allow_deletes: bool) -> Order:
        """Has the source looked at now; what comes of it is in the order. Raises NotFound or Interrupted."""
        self._refresh()
        order = Order(message, allow_deletes)
        with self._changed:
            self._followed.require(name)
            self._orders.add(name, order)
            self._agenda.look_at(name, time.monotonic())
            self._changed.notify()
        return order

    def retain(self, policy: Policy) -> Retention:
        """Between two writes. Raises Interrupted."""
        self._await_prepared()
        with self._session.turn():
            return retain(self._session, policy)

    def remove(self, name: str, purge: bool) -> Snapshot | None:
        """Forgets the source; what is being read of it is not published any more. Raises NotFound or Interrupted.

        With `purge` its documents leave the head by a snapshot.
        """
        self._await_prepared()
        self._refresh()
        with self._session.turn():
            published = withdraw(self._session, self._followed.require(name)) if purge else None
            self.writer.remove_source(name)
        self._refresh()
        return published

    def _await_prepared(self) -> None:
        self.readiness.prepared.wait()
        if self._stopping.is_set():
            raise Interrupted("the daemon is being stopped: try again")

    # The loop

    def run(self) -> bool:
        """Whether all that was under way came to its end."""
        with ExitStack() as stack:
            stack.callback(self._threads.shutdown, wait=False)
            for part in (self._pool, self._watches, self._schedule, self._orders):
                stack.enter_context(closing(part))
            stack.callback(self.readiness.prepared.set)
            try:
                self._prepare()
            except Interrupted:
                return True
            while not self._stopping.is_set():
                self._tick()
            return self._drain()

    def _prepare(self) -> None:
        """Takes back what was left undone; whatever anybody may have missed, every source is looked at."""
        with self._session.turn():
            self._session.recover()
            move_space(self._session)
        with self.catalog.writing() as connection:
            pending.drop_all_vectors(connection)
        self._standings.load()
        self._schedule.start()
        self._refresh()
        self.readiness.prepared.set()
        self._threads.submit(self.readiness.load, self._session, self._pool, self._log)

    def _tick(self) -> None:
        moment = time.monotonic()
        if moment - self._refreshed >= TICK_S:
            self._refreshed = moment
            self._notice_sources()
            self._notice_clock()
            self._show_slow(moment)
        with self._changed:
            due = self._agenda.due(moment)
            for name in due:
                self._begin(name, moment)
            if not due:
                self._tending.tend(moment, lambda: self._busy(moment))
                until = self._agenda.next_s() or moment + TICK_S
                self._changed.wait(max(0.0, min(TICK_S, until - time.monotonic())))

    def _begin(self, name: str, moment: float) -> None:
        orders = self._orders.take(name)
        try:
            source = self._followed.require(name)
        except NotFound as error:
            self._agenda.forget(name)
            for order in orders:
                order.answer(Looked(Synced(), error))
            return
        self._agenda.begin(name)
        self._standings.begin(name, moment)
        self._threads.submit(self._look, source, moment, orders)

    def _look(self, source: Source, moment: float, orders: Sequence[Order]) -> None:
        name, before = source.name, self._standings.of(source.name)
        looked = look(self._session, source, orders, self._watches)
        after = replace(standing_after(before, looked, random.random()), next_at=self._schedule.next_of(name))
        try:
            tell(self._log, name, looked, before, after, time.monotonic() - moment)
            self._standings.end(name, moment, after)
        except Exception as error:
            self._log.error("cannot be noted", source=name, error=str(error))
        finally:
            self._end(source, after, looked)
            for order in orders:
                order.answer(looked)

    def _end(self, source: Source, after: Standing, looked: Looked) -> None:
        name, moment = source.name, time.monotonic()
        with self._changed:
            self._agenda.end(name)
            if looked.synced.published:
                self._tending.want(moment)
            if name in self._orders.names():
                self._agenda.look_at(name, moment)
            if after.retry_at is not None:
                self._agenda.look_at(name, moment + max(0.0, (after.retry_at - now()) / timedelta(seconds=1)))
            self._changed.notify()
        if self._followed.get(name) is None:
            self._watches.forget([name])

    def _busy(self, moment: float) -> bool:
        """Whether anything is being read that does not take long anyway."""
        return any(moment - (self._standings.began(name) or 0.0) < _SLOW_S for name in self._agenda.running)

    # What others changed

    def _notice_sources(self) -> None:
        try:
            self._refresh()
        except KBError as error:
            # What is known goes on being followed, until the catalog answers again.
            self._log.error("sources cannot be read", error=str(error))

    def _refresh(self) -> None:
        """Takes up what others changed of the sources since it was last seen."""
        with self._refreshing:
            changes = self._followed.refresh()
            if changes.any:
                self._take_up(changes)

    def _take_up(self, changes: Changes) -> None:
        altered = changes.changed | changes.removed
        # What was wrong with a source may have been mended by the change.
        self._standings.forget(altered)
        self._watches.forget(altered)
        self._schedule.follow(self._followed.known)
        for name in sorted(altered):
            self._log.info("source removed" if name in changes.removed else "source changed", source=name)
        for name in sorted(changes.added | changes.changed):
            self.wake(name)

    def _wake_by_schedule(self, name: str) -> None:
        # Where the circuit is open, the retry comes when it comes.
        if not self._standings.is_open(name):
            self.wake(name)

    def _notice_clock(self) -> None:
        step_s = self._steps.last_s()
        if step_s is not None:
            self._log.warning("clock stepped", seconds=round(step_s))
            self._schedule.begin_anew()

    def _show_slow(self, moment: float) -> None:
        for name in self._agenda.running:
            began = self._standings.began(name)
            if began is not None and moment - began > _SLOW_S and self._standings.of(name).running_since is None:
                since = now() - timedelta(seconds=moment - began)
                self._threads.submit(self._standings.show_running, name, began, since)

    # Stopping

    def _drain(self) -> bool:
        self._log.info("stopping", running=sorted(self._agenda.running))
        deadline = time.monotonic() + GRACE_S
        with self._changed:
            while (self._agenda.running or self._tending.runs) and time.monotonic() < deadline:
                self._changed.wait(0.1)
            abandoned = sorted(self._agenda.running)
        self._standings.end_all()
        if abandoned:
            self._log.warning("left behind", sources=abandoned)
        self._log.info("stopped")
        return not abandoned and not self._tending.runs

    def _observe(self, event: Event) -> None:
        if self._stopping.is_set() and event.step not in _FINISHED:
            raise Interrupted(f"the sync of {event.source} was stopped; nothing that was published is lost")
        self._observed(event)
