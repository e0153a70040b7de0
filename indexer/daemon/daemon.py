"""The daemon: it wakes for every source, has those that are due looked at side by side, and stops when it is told to.

What matters is in the catalog. What is in memory, wakes and retries, may be lost at any moment: at the start every
source is looked at, whatever anybody may have missed.
"""

import gc
import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import Final

from indexer.daemon.agenda import Agenda
from indexer.daemon.log import Log
from indexer.daemon.look import keep_standing, look, standing_after, tell
from indexer.daemon.orders import Looked, Order, Orders
from indexer.daemon.watches import Watches
from indexer.extract.shared import SharedPool
from indexer.progress import Event, Observer, unobserved
from indexer.retain import Retention, retain
from indexer.rework import move_space
from indexer.schedule import Schedule
from indexer.session import Session
from indexer.sync import SourceSync, Synced
from kb.catalog import Catalog, pending, sources, standings
from kb.catalog.standings import Standing
from kb.clock import now
from kb.errors import Interrupted, NotFound
from kb.home import Home
from kb.nouns import Snapshot, Source
from kb.retention import Policy

TICK_S: Final = 1.0
"""How often it is seen whether somebody changed the sources, or the clock."""
GRACE_S: Final = 8.0
"""How long a stop waits for what is under way."""
_SLOW_S: Final = 5.0
"""A look that takes longer is shown as running."""
_RESTED_S: Final = 1.0
"""Upkeep begins once nothing was due for so long."""
_HALF_OPEN_S: Final = 5.0
"""So long after a wake is a source tried whose circuit is open."""
_STEPPED_S: Final = 30.0
_THREADS: Final = 10_000
_FINISHED: Final = ("commit", "publish", "permit")
"""Steps that a stop lets come to their end."""


class Daemon:
    """For whoever holds the writer's lock. `run` returns when `stop` was called, by a thread or a signal's handler."""

    def __init__(self, home: Home, log: Log, observe: Observer = unobserved) -> None:
        self.home = home
        self.catalog = Catalog(home.catalog_url)
        self.catalog.require()
        self.ready = threading.Event()
        self._log = log
        self._observed = observe
        self._agenda = Agenda()
        self._changed = threading.Condition()
        self._orders = Orders()
        self._stopping = threading.Event()
        self._refreshing = threading.Lock()
        self._sources: dict[str, Source] = {}
        self._standings: dict[str, Standing] = {}
        self._began: dict[str, float] = {}
        self._untended = False
        self._last_end = 0.0
        self._clock_gap_s = time.time() - time.monotonic()
        # Extraction's processes end with the thread that began them, so threads stay; no source waits for a free one.
        self._threads = ThreadPoolExecutor(_THREADS, "kb-look")
        self._watches = Watches(self.wake, log)
        self._schedule = Schedule(self._wake_by_schedule)

    # From any thread

    def wake(self, name: str) -> None:
        """Something may have changed at the source."""
        moment = time.monotonic()
        with self._changed:
            if self._standings.get(name, Standing()).opened_at:
                self._agenda.look_at(name, moment + _HALF_OPEN_S)
            else:
                self._agenda.wake(name, moment)
            self._changed.notify()

    def wake_all(self) -> None:
        for name in list(self._sources):
            self.wake(name)

    def stop(self) -> None:
        """May be called by a signal's handler."""
        self._stopping.set()

    def sync(self, names: Sequence[str], message: str | None, allow_deletes: bool) -> Mapping[str, Looked]:
        """Looks at the sources now and waits for what comes of it. Raises NotFound or Interrupted."""
        self._refresh()
        for name in names:
            if name not in self._sources:
                raise NotFound(f"there is no source {name!r}; known: {', '.join(sorted(self._sources)) or 'none yet'}")
        asked = {name: Order(message, allow_deletes) for name in names}
        for name, order in asked.items():
            self._orders.add(name, order)
            with self._changed:
                self._agenda.look_at(name, time.monotonic())
                self._changed.notify()
        return {name: order.looked.result() for name, order in asked.items()}

    def retain(self, policy: Policy) -> Retention:
        """Between two writes."""
        with self._session.turn():
            return retain(self._session, policy)

    def withdraw(self, name: str) -> Snapshot | None:
        """Publishes a snapshot without the source's documents, once no look at it is under way. Raises NotFound."""
        with self.catalog.reading() as connection:
            source = sources.require(connection, name)
        with self._changed:
            while name in self._agenda.running:
                self._changed.wait(TICK_S)
            self._agenda.begin(name)
        try:
            work = SourceSync(self._session, source, f"source {name} removed", allow_deletes=True)
            work.withdraw()
            return next(iter(work.synced.published), None)
        finally:
            with self._changed:
                self._agenda.end(name)

    # The loop

    def run(self) -> bool:
        """Whether all that was under way came to its end."""
        config = self.home.config
        memory = config.extract_memory_mb * 2**20
        with ExitStack() as stack:
            pool = stack.enter_context(SharedPool(config.workers, config.extract_timeout_s, memory))
            self._session = Session(self.home, self.catalog, pool, self._observe)
            stack.enter_context(closing(self._watches))
            stack.enter_context(closing(self._schedule))
            stack.callback(self._threads.shutdown, wait=False)
            try:
                self._prepare()
            except Interrupted:
                return True
            while not self._stopping.is_set():
                self._tick()
            return self._drain()

    def _prepare(self) -> None:
        """Takes back what was left undone, and has the model ready before the first change comes."""
        self._session.recover()
        move_space(self._session)
        with self.catalog.writing() as connection:
            pending.drop_all_vectors(connection)
        with self.catalog.reading() as connection:
            self._standings = standings.listed(connection)
        self._schedule.start()
        self._refresh()
        self._threads.submit(self._warm)

    def _warm(self) -> None:
        """Loads the model before the first change comes."""
        try:
            self._session.embedder().embed(["ready"])
        except Exception as error:
            self._log.error("model cannot be loaded", error=str(error))
            return
        # What lives until the end is not to be looked through for garbage.
        gc.freeze()
        self.ready.set()
        self._log.info("ready", sources=len(self._sources))

    def _tick(self) -> None:
        self._refresh()
        self._notice_clock()
        self._show_slow()
        moment = time.monotonic()
        with self._changed:
            due = self._agenda.due(moment)
            for name in due:
                self._begin(name, moment)
            if not due:
                self._tend(moment)
                until = self._agenda.next_s()
                self._changed.wait(TICK_S if until is None else max(0.0, min(TICK_S, until - time.monotonic())))

    def _begin(self, name: str, moment: float) -> None:
        if name not in self._sources:
            self._agenda.forget(name)
            return
        self._agenda.begin(name)
        self._began[name] = moment
        orders = self._orders.take(name)
        self._threads.submit(self._look, self._sources[name], orders)

    def _look(self, source: Source, orders: Sequence[Order]) -> None:
        name, before = source.name, self._standings.get(source.name, Standing())
        looked = look(self._session, source, orders, self._watches)
        after = standing_after(self._session, name, before, looked, random.random())
        after = replace(after, next_at=self._schedule.next_of(name))
        try:
            if after != before:
                keep_standing(self._session, name, after)
            tell(self._log, name, looked, before, after, time.monotonic() - self._began[name])
        finally:
            self._end(name, after, looked)
            for order in orders:
                order.looked.set_result(looked)

    def _end(self, name: str, after: Standing, looked: Looked) -> None:
        moment = time.monotonic()
        with self._changed:
            self._standings[name] = after
            self._agenda.end(name)
            self._untended = self._untended or bool(looked.synced.published)
            self._last_end = moment
            if name in self._orders.names():
                self._agenda.look_at(name, moment)
            if after.retry_at is not None:
                self._agenda.look_at(name, moment + max(0.0, (after.retry_at - now()) / timedelta(seconds=1)))
            self._changed.notify()

    def _tend(self, moment: float) -> None:
        """Upkeep while nothing else is to do; a source that is woken meanwhile is read, and waits only to write."""
        rested = moment - self._last_end > _RESTED_S and not self._agenda.running
        if self._untended and rested:
            self._untended = False
            self._threads.submit(self._upkeep)

    def _upkeep(self) -> None:
        began = time.monotonic()
        try:
            with self._session.turn():
                self._session.upkeep()
        except Exception as error:
            self._log.error("upkeep failed", error=str(error))
        if time.monotonic() - began > 1:
            self._log.info("upkeep", seconds=round(time.monotonic() - began, 3))

    # What others changed

    def _refresh(self) -> None:
        """Takes up sources that were added, changed or removed since it was last seen."""
        with self._refreshing:
            self._take_up()

    def _take_up(self) -> None:
        with self.catalog.reading() as connection:
            found = {source.name: source for source in sources.listed(connection)}
        with self._changed:
            before, self._sources = self._sources, found
        if found == before:
            return
        gone = before.keys() - found.keys()
        fresh = [name for name, source in found.items() if before.get(name) != source]
        self._watches.forget({*gone, *(name for name in fresh if name in before)})
        self._schedule.follow(found)
        for name in gone:
            self._standings.pop(name, None)
            self._log.info("source removed", source=name)
        for name in fresh:
            # What was wrong with it may have been mended by the change.
            if name in before:
                self._standings.pop(name, None)
                self._log.info("source changed", source=name)
            self.wake(name)

    def _wake_by_schedule(self, name: str) -> None:
        # Where the circuit is open, the retry comes when it comes.
        if not self._standings.get(name, Standing()).opened_at:
            self.wake(name)

    def _notice_clock(self) -> None:
        gap_s = time.time() - time.monotonic()
        if abs(gap_s - self._clock_gap_s) > _STEPPED_S:
            self._log.warning("clock stepped", seconds=round(gap_s - self._clock_gap_s))
            self._schedule.begin_anew()
        self._clock_gap_s = gap_s

    def _show_slow(self) -> None:
        moment = time.monotonic()
        for name in self._agenda.running:
            standing = self._standings.get(name, Standing())
            running_s = moment - self._began[name]
            if running_s > _SLOW_S and standing.running_since is None:
                self._standings[name] = replace(standing, running_since=now() - timedelta(seconds=running_s))
                keep_standing(self._session, name, self._standings[name])

    # Stopping

    def _drain(self) -> bool:
        self._log.info("stopping", running=sorted(self._agenda.running))
        deadline = time.monotonic() + GRACE_S
        with self._changed:
            while self._agenda.running and time.monotonic() < deadline:
                self._changed.wait(0.1)
            abandoned = sorted(self._agenda.running)
        for order in self._orders.take_all():
            order.looked.set_result(Looked(Synced(), Interrupted("the daemon was stopped: sync again")))
        if abandoned:
            self._log.warning("left behind", sources=abandoned)
        self._log.info("stopped")
        return not abandoned

    def _observe(self, event: Event) -> None:
        if self._stopping.is_set() and event.step not in _FINISHED:
            raise Interrupted(f"the sync of {event.source} was stopped; nothing that was published is lost")
        self._observed(event)
