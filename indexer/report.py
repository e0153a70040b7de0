"""What a sync tells people: progress while it works, and a summary at its end."""

import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from indexer.outcome import SyncReport
from indexer.plan import Plan
from indexer.progress import Event
from indexer.retain import Retention
from indexer.source_file import Reconciliation
from kb.answers import plain
from kb.cli.render import counted, log, moment, size


class ProgressBar:
    """A line on the terminal for the step under way; silent where stderr is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task: TaskID | None = None
        self._step = ""
        self._began = 0.0
        self._first = 0

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        if self._progress.disable or event.step not in ("fetch", "extract", "embed"):
            return
        step = "read" if event.step != "embed" else "embed"
        if step != self._step or self._task is None:
            self._begin(event, step)
        assert self._task is not None
        completed = event.done if event.step != "extract" else None
        self._progress.update(self._task, completed=completed, total=event.total, rate=self._rate(event, step))

    def _begin(self, event: Event, step: str) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._step, self._began, self._first = step, time.monotonic(), event.done
        words = "documents" if step == "read" else "chunks to embed"
        self._task = self._progress.add_task(f"{event.source}: {words}", total=event.total, rate="")

    def _rate(self, event: Event, step: str) -> str:
        seconds = time.monotonic() - self._began
        if step == "read" or seconds < 1 or event.done <= self._first:
            return f"{event.reused} reused" if step == "embed" else ""
        return f"{(event.done - self._first) / seconds:.0f} chunks/s, {event.reused} reused"


def report_json(report: SyncReport) -> Any:
    """The contract's form: the snapshots as `kb log` lists them, and what was not taken in."""
    return plain(report)


def report_lines(report: SyncReport) -> Iterator[str]:
    if report.snapshots:
        shown = list(report.snapshots[-10:])
        if len(shown) < len(report.snapshots):
            yield f"      ... {len(report.snapshots) - len(shown)} snapshots before these"
        yield from log(shown)
        chunks = [snapshot.chunks for snapshot in report.snapshots]
        made, reused = sum(count.embedded for count in chunks), sum(count.reused for count in chunks)
        published = counted(len(report.snapshots), "snapshot")
        yield f"published {published}; {counted(made, 'chunk')} embedded, {reused} reused"
    elif not report.refused and not report.permitted:
        yield "nothing changed"
    if report.permitted:
        yield f"{counted(report.permitted, 'document')} may be seen by other groups than before, in all versions"
    for document in report.quarantined:
        yield f"in quarantine {document.source}:{document.uri}: {document.reason}: {document.detail}"
    if report.skipped:
        yield f"skipped {', '.join(f'{count} {kind}' for kind, count in sorted(report.skipped.items()))}"


def plan_lines(plans: Sequence[Plan]) -> Iterator[str]:
    for plan in plans:
        yield f"{plan.source or 'all sources, to a new embedding space'}: {counted(plan.snapshots, 'snapshot')}"
        yield f"  documents  {plan.added} to add, {plan.changed} to change, {plan.removed} to remove"
        yield f"  chunks     {plan.embed} to embed ({plan.tokens} tokens), {plan.reuse} to reuse"
        if plan.quarantine:
            yield f"  quarantine {counted(plan.quarantine, 'document')}"
        if plan.refusal:
            yield f"  refused    {plan.refusal}"
        seconds = f"about {plan.seconds:.0f} s to embed" if plan.seconds is not None else "not measured here yet"
        yield f"  time       {seconds}"
        if plan.price is not None:
            yield f"  price      {plan.price:.2f}"


def reconciliation_lines(found: Reconciliation) -> Iterator[str]:
    yield from (f"+ {source.name}  {source.kind}" for source in found.added)
    for changed in found.changed:
        yield f"~ {changed.name}"
        for one in changed.settings:
            before, after = ("default" if value is None else value for value in (one.before, one.after))
            yield f"    {one.key}: {before} -> {after}"
    yield from (f"- {name}" for name in found.removed)
    yield from (f"  {name} is not in the file, and stays as it is (--prune removes it)" for name in found.unmentioned)
    if not (found.added or found.changed or found.removed):
        yield "nothing to change"
    elif found.dry_run:
        yield "nothing was written: run it again without --dry-run"


def retention_lines(retention: Retention) -> Iterator[str]:
    for kept in retention.kept:
        tags = f"  tagged {', '.join(kept.tags)}" if kept.tags else ""
        yield f"{kept.version:>5}  {moment(kept.committed_at)}  kept: {', '.join(kept.rules)}{tags}"
    if not retention.expired:
        yield "nothing to expire"
        return
    yield "would expire:" if retention.dry_run else "expired:"
    yield from log(retention.expired)
    removed, would = retention.removed, "would remove" if retention.dry_run else "removed"
    parts = [counted(removed.chunks, "chunk"), counted(removed.documents, "document version")]
    parts.append(f"{counted(removed.texts, 'text')}: {size(removed.bytes)} before compression")
    yield f"{would} {', '.join(parts)}"
