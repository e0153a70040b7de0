"""What a sync would do, worked out by the same steps and without a write."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connectors.protocol import Connector
from indexer.delta import diff
from indexer.intake import Intake
from indexer.rework import everything, space_change
from indexer.session import Session
from indexer.sync import SourceSync
from kb.catalog import runs
from kb.embedding.load import tokeniser
from kb.errors import SourceUnavailable
from kb.layout import Layout
from kb.nouns import Source


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync of one source would do. `seconds` follows this machine's own rate; None before it was measured."""

    source: str
    snapshots: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    embed: int = 0
    reuse: int = 0
    tokens: int = 0
    seconds: float | None = None
    price: float | None = None
    """In whatever currency the configuration's price is; None where it has none."""
    quarantine: int = 0
    refusal: str | None = None


@dataclass(slots=True)
class Foreseen:
    """What the plans so far would have made: later ones reuse it."""

    outlines: dict[str, Layout] = field(default_factory=dict)
    """Layouts with an empty text."""
    embedded: set[str] = field(default_factory=set)
    tokens: int = 0


def plan_move(session: Session, foreseen: Foreseen) -> Plan | None:
    """The move to a new embedding space that the next sync begins with, where the pipeline asks for one."""
    old, moved = space_change(session)
    if old is None or moved is None:
        return None
    before = foreseen.tokens
    plan = _with(session, Plan(""), everything(session, moved), foreseen)
    return _timed(session, plan, foreseen.tokens - before)


def plan_source(
    session: Session, source: Source, connector: Connector, foreseen: Foreseen, allow_deletes: bool = False
) -> Plan:
    """Follows every listing as a sync would; what it would refuse is told, not raised."""
    work = SourceSync(session, source, None, allow_deletes)
    old, moved = space_change(session)
    if old is not None and moved is not None:
        work.trust(old, moved)
    plan = Plan(source.name)
    before = foreseen.tokens
    try:
        for listing, rework in work.poll(connector):
            intake = work.take_in(connector, listing, rework)
            plan = _with(session, plan, intake, foreseen)
            work.foresee(intake)
    except SourceUnavailable as error:
        plan = replace(plan, refusal=str(error))
    return _timed(session, plan, foreseen.tokens - before)


def _timed(session: Session, plan: Plan, tokens: int) -> Plan:
    with session.catalog.reading() as connection:
        rate = runs.embedding_rate(connection)
    each = session.config.price_per_million_tokens / 1_000_000
    return replace(plan, tokens=tokens, seconds=plan.embed / rate if rate else None, price=tokens * each or None)


def _with(session: Session, plan: Plan, intake: Intake, foreseen: Foreseen) -> Plan:
    if not intake.changes_documents:
        return replace(plan, quarantine=plan.quarantine + len(intake.refused))
    opened = {version.document_id for version in intake.opened}
    closed = {version.document_id for version in intake.closed}
    made, born = _embeddings(session, intake, foreseen)
    return replace(
        plan,
        snapshots=plan.snapshots + 1,
        added=plan.added + len(opened - closed),
        changed=plan.changed + len(opened & closed),
        removed=plan.removed + len(closed - opened),
        embed=plan.embed + made,
        reuse=plan.reuse + born - made,
        quarantine=plan.quarantine + len(intake.refused),
    )


def _embeddings(session: Session, intake: Intake, foreseen: Foreseen) -> tuple[int, int]:
    """How many texts would be embedded, of how many chunks that would begin to live."""
    foreseen.outlines |= {key: replace(layout, text="") for key, layout in intake.layouts.items()}
    stored = {version.layout for version in intake.closed} - foreseen.outlines.keys()
    foreseen.outlines |= session.store.texts.outlines(stored) if stored else {}
    # A move closes each document and opens it as it was: all its chunks are born anew.
    closed = () if intake.opened and intake.moves else intake.closed
    delta = diff(intake.opened, closed, {**foreseen.outlines, **intake.layouts}, foreseen.outlines)
    texts = {birth.chunk.text_sha256: birth.chunk.text for birth in delta.born}
    new = _unknown(session, texts.keys() - foreseen.embedded)
    foreseen.embedded |= new
    measure = tokeniser(session.pipeline.embedder)
    foreseen.tokens += sum(len(measure.offsets(texts[digest])) for digest in new)
    return len(new), len(delta.born) - len(delta.renewed)


def _unknown(session: Session, digests: Iterable[str]) -> set[str]:
    wanted = set(digests)
    return wanted - session.known_vectors(wanted).keys() if wanted else wanted
