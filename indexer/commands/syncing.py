"""The commands that bring sources up to date: `kb sync`, `kb plan`, `kb quarantine retry`."""

from collections.abc import Sequence

import click

from indexer.commands.base import PARTIAL, daemon_of, writer_of
from kb.cli.frame import Invocation, emit, json_option, root, tell
from kb.cli.reading import quarantine
from kb.cli.render import counted


@root.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--message", help="What the snapshots say of themselves.")
@click.option("--allow-deletes", is_flag=True, help="Let more documents go than the guard allows.")
@json_option
@click.pass_context
def sync(context: click.Context, names: Sequence[str], message: str | None, allow_deletes: bool, as_json: bool) -> None:
    """Bring sources up to date: embed the difference and publish it."""
    from indexer.report import ProgressBar, report_json, report_lines

    daemon = daemon_of(context.obj)
    if daemon:
        tell(f"handed to the daemon (process {daemon.pid})")
        report = daemon.sync(names or _every_source(context.obj), message, allow_deletes)
    else:
        with ProgressBar() as progress:
            writer = writer_of(context.obj, progress)
            report = writer.sync(names, message=message, allow_deletes=allow_deletes)
    for refusal in report.refused:
        tell(f"kb: {refusal.error}")
    emit(report_json(report), as_json, lambda: report_lines(report))
    if report.partial:
        context.exit(PARTIAL)


def _every_source(invocation: Invocation) -> Sequence[str]:
    with invocation.base() as base:
        return [source.name for source in base.sources()]


@root.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
@click.pass_context
def plan(context: click.Context, names: Sequence[str], as_json: bool) -> None:
    """Show what a sync would do: documents, embeddings, tokens, time; writes nothing."""
    from indexer.report import plan_lines

    plans = writer_of(context.obj).plan(names)
    emit(plans, as_json, lambda: plan_lines(plans))
    if any(one.refusal for one in plans):
        context.exit(PARTIAL)


@quarantine.command("retry")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def retry_quarantine(invocation: Invocation, name: str | None, as_json: bool) -> None:
    """Have the next sync read them again."""
    count = writer_of(invocation).retry_quarantined(name)
    words = f"{counted(count, 'document')} will be read again by the next `kb sync`"
    emit({"retried": count}, as_json, lambda: iter([words]))
