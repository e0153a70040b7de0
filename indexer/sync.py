"""The one way that a change travels: wake, poll, fetch, extract, chunk, diff, embed, commit, publish."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.protocol import Connector, Historical, Listing
from indexer.beside import beside
from indexer.commit import Commit, Occasion, Tables, build, publish, write
from indexer.delta import Delta, diff
from indexer.embed import Embedded, embed
from indexer.intake import Circumstances, Intake, take_in
from indexer.originals import Originals
from indexer.permission import changed_by_reading, changed_by_setting, permit
from indexer.progress import Event, Step
from indexer.session import Session
from indexer.state import compare, load_state
from indexer.turnover import Turnover, turn_over
from kb.catalog import Connection, names, scan, snapshots, sources
from kb.catalog.access import Change
from kb.catalog.scan import Quarantined
from kb.clock import now
from kb.errors import NotFound
from kb.nouns import Snapshot, Source
from kb.pipeline import Pipeline

Made = tuple[Embedded, Turnover]
"""What a delta needs beside what it is itself."""


@dataclass(slots=True)
class Synced:
    """What a sync of one source came to so far."""

    published: list[Snapshot] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    embedded: int = 0
    embed_seconds: float = 0.0
    permitted: int = 0
    """Documents, of whatever version, that other groups may see than before."""


class SourceSync:
    """One source on its way to where it stands now; `synced` tells what was reached, also after an error."""

    def __init__(self, session: Session, source: Source, message: str | None, allow_deletes: bool) -> None:
        self.synced = Synced()
        self._session = session
        self._source = source
        self._message = message
        guard = session.config.delete_guard if source.delete_guard is None else source.delete_guard
        self._guard = 1.0 if allow_deletes else guard
        self._originals = Originals() if source.keep_original else None
        with session.catalog.reading() as connection:
            self._checkpoint, self._fingerprint = sources.position(connection, source.name)
            self._state = load_state(connection, source.name, snapshots.head(connection))

    def run(self, connector: Connector) -> None:
        """Publishes a snapshot for each listing that changes documents.

        Raises SourceUnavailable or DeletionRefused; what was published before that stays published.
        """
        self._tell("wake")
        self.permit(changed_by_setting(self._session.catalog, self._source))
        for listing, rework in self.poll(connector):
            intake = self.take_in(connector, listing, rework)
            self.permit(changed_by_reading(self._session.catalog, self._source, intake.access), intake.access)
            delta = self.diff(intake)
            made = self.embed(intake, delta)
            with self._session.turn():
                commit = self.commit(listing, intake, delta, made)
                self.publish(listing, intake, commit)

    def withdraw(self) -> None:
        """Publishes a snapshot in which none of the source's documents lives."""
        everything = Listing((), checkpoint=self._checkpoint or "")
        gone = Intake.withdrawal(self._state)
        delta = self.diff(gone)
        made = self.embed(gone, delta)
        with self._session.turn():
            self.publish(everything, gone, self.commit(everything, gone, delta, made))

    def trust(self, old: Pipeline, new: Pipeline) -> None:
        """What the old pipeline read counts as read by the new one."""
        if self._fingerprint == old.fingerprint:
            self._fingerprint = new.fingerprint

    def poll(self, connector: Connector) -> Iterator[tuple[Listing, bool]]:
        """The source as it stands, or each of its states since the checkpoint; and whether all must be read again.

        What an older pipeline read is read again once the source's history has been followed to its end.
        """
        self._tell("poll")
        historical = isinstance(connector, Historical) and connector.keeps_history
        outdated = self._outdated
        if isinstance(connector, Historical) and historical:
            for listing in connector.history(self._checkpoint):
                yield listing, False
        if outdated:
            reason = self._difference()
            self._fingerprint = self._session.pipeline.fingerprint
            yield replace(connector.poll(None), message=reason), True
        elif not historical:
            yield connector.poll(self._checkpoint), False

    def take_in(self, connector: Connector, listing: Listing, rework: bool) -> Intake:
        """Fetch, extract and chunk what the listing changed. Writes nothing."""
        around = Circumstances(
            source=self._source.name,
            connector=connector,
            pool=self._session.pool,
            observe=self._session.observe,
            model=self._session.pipeline.embedder,
            fingerprint=self._session.pipeline.fingerprint,
            moment=now(),
            rework=rework,
            guard=self._guard,
            originals=self._originals,
        )
        difference = compare(self._state, listing, rework)
        touched = (*(entry.uri for entry in difference.changed), *difference.gone)
        leaving = [version.layout for uri in touched if (version := self._state.documents.get(uri)) is not None]
        # The diff needs the outlines of what leaves: the store learns them while what comes is extracted.
        with beside(lambda: self._session.store.texts.outlines(leaving) if leaving else {}):
            return take_in(around, listing, self._state, difference)

    def permit(self, changes: Sequence[Change], read: Collection[str] = ()) -> None:
        """Lets the right groups see documents, in all versions that there are and in those to come."""
        if not changes:
            return
        session = self._session
        name = self._source.name
        with session.turn():
            permit(session.catalog, session.store, changes, (name, read), lambda step: self._tell("permit", step))
        living = {version.document_id for version in self._state.documents.values()}
        moved = {after.document_id for before, after in changes if before.groups != after.groups}
        # Of what was read, some is new: nobody saw that before.
        self.synced.permitted += len(moved & living if read else moved)

    def diff(self, intake: Intake) -> Delta:
        """Which chunks begin to live and which end."""
        if not intake.changes_documents:
            return Delta((), frozenset())
        self._tell("diff")
        texts = self._session.store.texts
        # A document whose metadata alone changed was not laid out again.
        stored = texts.get({version.layout for version in intake.opened} - intake.layouts.keys())
        before = texts.outlines(version.layout for version in intake.closed)
        return diff(intake.opened, intake.closed, {**intake.layouts, **stored}, before)

    def embed(self, intake: Intake, delta: Delta) -> Made | None:
        """A vector for each chunk that begins to live, and meanwhile all else that the change comes to.

        A text that was ever embedded is not embedded again. None where no document changed.
        """
        if not intake.changes_documents:
            return None
        session, table = self._session, self._session.table
        with beside(lambda: turn_over(table, delta)) as turnover:
            known = session.known_vectors(birth.chunk.text_sha256 for birth in delta.born)
            keep, name = session.keep_vectors, self._source.name
            return embed(delta.born, known, session.embedder, keep, session.observe, name), turnover.result()

    def commit(self, listing: Listing, intake: Intake, delta: Delta, made: Made | None) -> Commit | None:
        """Writes the snapshot's rows, invisible until it is published; None where no document changed."""
        if made is None:
            return None
        embedded, turnover = made
        session, name = self._session, self._source.name
        tables = Tables(session.table, session.table)
        occasion = Occasion(now(), name, listing.revision, listing.time, self._message or listing.message)
        with session.catalog.reading() as connection:
            commit = build(connection, tables, session.pipeline, occasion, intake, delta, embedded, turnover)
        write(session.catalog, session.store, tables, commit, lambda step: self._tell("commit", step), self._originals)
        self.synced.embedded += embedded.made
        self.synced.embed_seconds += embedded.seconds
        return commit

    def publish(self, listing: Listing, intake: Intake, commit: Commit | None) -> None:
        """Makes the snapshot visible and notes what was seen, in one transaction."""
        self._tell("publish", "begin")
        with self._session.catalog.writing() as connection:
            self._require(connection)
            version = commit.snapshot.version if commit else snapshots.head(connection)
            if commit:
                publish(connection, commit)
            self._note(connection, listing, intake, version)
            self._tell("publish", "end")
        self._state.publish(intake.opened, intake.closed, version)
        self._state.see(intake.seen, intake.forgotten)
        self.synced.quarantined += intake.refused
        for kind, count in intake.skipped.items():
            self.synced.skipped[kind] = self.synced.skipped.get(kind, 0) + count
        if commit:
            self.synced.published.append(commit.snapshot)
            self._session.tend(len(commit.born) + len(commit.ended))

    def foresee(self, intake: Intake) -> None:
        """Goes on as if the intake were published: what a plan does in a sync's place."""
        self._state.publish(intake.opened, intake.closed, 0)
        self._state.see(intake.seen, intake.forgotten)

    def _require(self, connection: Connection) -> None:
        """Raises NotFound where the source was removed while it was read, another of its name added or not."""
        found = sources.get(connection, self._source.name)
        if found is None or found.created_at != self._source.created_at:
            raise NotFound(
                f"source {self._source.name!r} was removed while it was read; nothing more of it is published"
            )

    def _note(self, connection: Connection, listing: Listing, intake: Intake, version: int) -> None:
        """What was seen of the source, where it stands, and which version holds that."""
        name = self._source.name
        scan.forget(connection, name, intake.forgotten)
        scan.see(connection, name, intake.seen)
        scan.release(connection, name, intake.released)
        scan.confine(connection, intake.refused)
        # What passed without a change stood as the version before did.
        before = version - 1 if intake.changes_documents else version
        if before:
            names.set_revisions(connection, name, listing.passed, before)
        if version and listing.revision is not None:
            names.set_revisions(connection, name, [(listing.revision, listing.time)], version)
        sources.move(connection, name, listing.checkpoint, self._fingerprint or self._session.pipeline.fingerprint)

    def _difference(self) -> str:
        """Which parts of the pipeline changed since the source was last read."""
        with self._session.catalog.reading() as connection:
            parts = snapshots.pipeline_parts(connection, self._fingerprint or "")
        changed = Pipeline.of(parts).differs(self._session.pipeline) if parts else []
        return f"pipeline changed: {', '.join(changed)}" if changed else "pipeline changed"

    @property
    def _outdated(self) -> bool:
        return self._fingerprint is not None and self._fingerprint != self._session.pipeline.fingerprint

    def _tell(self, step: Step, subject: str = "") -> None:
        self._session.observe(Event(step, self._source.name, subject))
