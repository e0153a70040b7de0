"""The verbs that write: sources are added, changed and removed here, planned and synced."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.protocol import Listing
from indexer import source_file
from indexer.compare import compare_source
from indexer.extract.pool import ExtractionPool
from indexer.lock import writer_lock
from indexer.outcome import Refusal, SyncReport, report
from indexer.plan import Foreseen, Plan, plan_move, plan_source
from indexer.progress import Observer, unobserved
from indexer.retain import Retention, foresee, retain
from indexer.rework import move_space
from indexer.run import opened, run
from indexer.session import Session
from indexer.settings import NAMES, parted
from indexer.source_file import Reconciliation
from indexer.spooling import clear, furnish, require_same, spool
from indexer.sync import SourceSync, Synced
from indexer.withdraw import withdraw
from kb.answers import Finding
from kb.catalog import Catalog, Connection, pending, scan, sources
from kb.clock import now
from kb.errors import ConfigError, KBError, SourceUnavailable, UsageError
from kb.home import Home, open_home
from kb.nouns import DocumentVersion, Snapshot, Source
from kb.pushing import Change, Receipt
from kb.retention import Policy
from kb.store import Store
from kb.unwritable import writes


class Writer:
    """Writes one knowledge base; each verb holds the writer's lock only where it changes content.

    Extraction runs in the caller's pool, else in one that lives as long as the verb.
    """

    def __init__(self, home: Home | Path, observe: Observer = unobserved, pool: ExtractionPool | None = None) -> None:
        self.home = open_home(home) if isinstance(home, Path) else home
        self.catalog = Catalog(self.home.catalog_url)
        self.catalog.require()
        self._observe = observe
        self._shared_pool = pool

    # Sources

    def add_source(
        self, name: str, kind: str, options: Mapping[str, Any], *, base: Path | None = None, **settings: str | None
    ) -> Source:
        """Registers a source; it is read by the next sync. Raises ConfigError or UsageError.

        Beside its kind's own options, any source takes the settings of `indexer.settings`.
        """
        _check_name(name)
        own, shared = parted({**options, **_given(settings)})
        stored = registry.normalise(kind, own, base=base or Path.cwd(), settings=NAMES)
        with writes(self.home.path), self.catalog.writing() as connection:
            if sources.get(connection, name):
                raise UsageError(f"there is a source {name!r} already: change it with `kb source set`")
            stored = furnish(self.home, kind, stored)
            source = Source(name, kind, stored, created_at=now(), **shared)
            sources.add(connection, source)
        return source

    def change_source(
        self, name: str, options: Mapping[str, Any], *, base: Path | None = None, **settings: str | None
    ) -> Source:
        """Changes options and settings; those not given stay."""
        source = self._source(name)
        own, given = parted({**options, **_given(settings)})
        merged = {**source.options, **own}
        stored = registry.normalise(source.kind, merged, base=base or Path.cwd(), settings=NAMES)
        require_same(source, stored)
        with self.catalog.writing() as connection:
            if stored != source.options:
                given["options"] = stored
            if given:
                sources.change(connection, name, **given)
        return self._source(name)

    def apply_sources(self, path: Path, *, prune: bool = False, dry_run: bool = False) -> Reconciliation:
        """Brings the sources in line with a file, all of it or nothing. Raises ConfigError or UsageError."""
        wanted = source_file.read(path)
        for source in wanted:
            _check_name(source.name)
        with writes(self.home.path), self.catalog.writing() as connection:
            known = {source.name: source for source in sources.listed(connection)}
            found = source_file.compare(known, wanted, prune=prune, dry_run=dry_run)
            if not dry_run:
                self._reconcile(connection, known, {source.name: source for source in wanted}, found)
        return found

    def _reconcile(
        self, connection: Connection, known: Mapping[str, Source], wanted: Mapping[str, Source], found: Reconciliation
    ) -> None:
        for source in found.added:
            stored = furnish(self.home, source.kind, source.options)
            sources.add(connection, replace(source, options=stored, created_at=now()))
        for changed in found.changed:
            source = source_file.merged(known[changed.name], wanted[changed.name])
            sources.change(connection, changed.name, **source_file.settings_of(source))
        for name in found.removed:
            clear(self.home, known[name])
            sources.remove(connection, name)

    def check_source(self, name: str) -> Listing:
        """Polls the source once without a trace. Raises SourceUnavailable."""
        with opened(self.home, self._source(name)) as connector:
            return connector.poll(None)

    def compare_sources(self, versions: Sequence[DocumentVersion]) -> Sequence[Finding]:
        """Reads the documents at their sources again: those that differ from what was indexed, or cannot be read."""
        findings: list[Finding] = []
        for name in sorted({version.source for version in versions}):
            held = [version for version in versions if version.source == name]
            try:
                with opened(self.home, self._source(name)) as connector:
                    compared = (compare_source(connector, version) for version in held)
                    findings += (finding for finding in compared if finding is not None)
            except KBError as error:
                findings.append(Finding("unreadable source", f"{name}: {len(held)} documents", str(error)))
        return findings

    def remove_source(self, name: str, *, purge: bool = False) -> Snapshot | None:
        """Forgets the source; with `purge` its documents leave the head by a snapshot, else they stay as they are."""
        source = self._source(name)
        published = None
        if purge:
            with self._session() as session:
                session.recover()
                move_space(session)
                published = withdraw(session, source)
        # Before the source: a spool that no source names would never go.
        clear(self.home, source)
        with self.catalog.writing() as connection:
            sources.remove(connection, name)
        return published

    def retry_quarantined(self, name: str | None = None) -> int:
        """Makes the next sync read quarantined documents again; returns how many."""
        if name is not None:
            self._source(name)
        with self.catalog.writing() as connection:
            return scan.distrust_quarantined(connection, name)

    def push(self, name: str, changes: Iterable[Change], *, key: str | None = None) -> Receipt:
        """Takes documents in for a source of kind push: they are on the disk on return, and indexed by the next sync.

        All changes are made or none; a repeated key gets its first receipt. Raises UsageError, or Conflict for the key.
        """
        return spool(self.home, self._source(name)).take(changes, key)

    # Syncing

    def sync(self, names: Sequence[str] = (), *, message: str | None = None, allow_deletes: bool = False) -> SyncReport:
        """Brings the named sources, or all, up to date. Raises Locked at once where another writer works."""
        chosen = self._chosen(names)
        reached: list[Synced] = []
        refused: list[Refusal] = []
        with self._session() as session:
            session.recover()
            moved = move_space(session)
            for source in chosen:
                work = SourceSync(session, source, message, allow_deletes)
                reached.append(work.synced)
                try:
                    run(self.home, self.catalog, source, work)
                except (SourceUnavailable, ConfigError) as error:
                    refused.append(Refusal(source.name, str(error)))
            if moved or any(synced.published or synced.permitted for synced in reached):
                session.upkeep()
            if not refused and not names:
                with self.catalog.writing() as connection:
                    pending.drop_all_vectors(connection)
        with self.catalog.reading() as connection:
            quarantined = [found for source in chosen for found in scan.quarantined(connection, source.name)]
        return report(moved, reached, refused, quarantined)

    def plan(self, names: Sequence[str] = (), *, allow_deletes: bool = False) -> Sequence[Plan]:
        """What a sync would do; writes nothing and needs no lock."""
        chosen = self._chosen(names)
        plans: list[Plan] = []
        with self._pool() as pool:
            session = Session(self.home, self.catalog, pool, self._observe)
            foreseen = Foreseen()
            plans += filter(None, [plan_move(session, foreseen)])
            for source in chosen:
                try:
                    with opened(self.home, source) as connector:
                        plans.append(plan_source(session, source, connector, foreseen, allow_deletes))
                except ConfigError as error:
                    plans.append(Plan(source.name, refusal=str(error)))
        return plans

    def retain(self, policy: Policy, *, dry_run: bool = False) -> Retention:
        """Lets expire what the policy does not keep. Raises Locked; a dry run writes nothing and needs no lock."""
        if dry_run:
            return foresee(self.catalog, Store(self.home.store), policy)
        with self._session() as session:
            session.recover()
            return retain(session, policy)

    # What the verbs stand on

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with writes(self.home.path), writer_lock(self.home.lock), self._pool() as pool:
            yield Session(self.home, self.catalog, pool, self._observe)

    def _pool(self) -> AbstractContextManager[ExtractionPool]:
        if self._shared_pool is not None:
            return nullcontext(self._shared_pool)
        config = self.home.config
        return ExtractionPool(
            workers=config.workers,
            timeout_s=config.extract_timeout_s,
            memory_bytes=config.extract_memory_mb * 2**20,
        )

    def _chosen(self, names: Sequence[str]) -> list[Source]:
        if names:
            return [self._source(name) for name in dict.fromkeys(names)]
        with self.catalog.reading() as connection:
            found = list(sources.listed(connection))
        if not found:
            raise UsageError("there is no source to sync: add one with `kb source add`")
        return found

    def _source(self, name: str) -> Source:
        with self.catalog.reading() as connection:
            return sources.require(connection, name)


def _given(settings: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in settings.items() if value is not None}


def _check_name(name: str) -> None:
    # `:` parts a source from a URI and `@` a source from its revision.
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name):
        raise UsageError(f"a source's name is made of letters, digits and `_ . -`, at most 100: not {name[:100]!r}")
