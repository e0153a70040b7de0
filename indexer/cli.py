"""The `kb` command: the reading commands, and those that write."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.push_cli import push
from kb.cli.frame import Invocation, emit, json_option, root, run, tell
from kb.cli.reading import quarantine
from kb.cli.render import counted
from kb.cli.tools import mcp
from kb.home import DEFAULT_MODEL, locate, named, open_home

if TYPE_CHECKING:
    from indexer.writer import Writer

PARTIAL = 6
"""Exit code of a sync that was done in part."""


root.add_command(mcp)
root.add_command(push)


def main() -> None:
    sys.exit(run(root))


@root.command()
@click.option("--model", default=None, help=f"Embedding model: a name or a directory.  [default: {DEFAULT_MODEL}]")
@json_option
@click.pass_obj
def init(invocation: Invocation, model: str | None, as_json: bool) -> None:
    """Make a knowledge base in .kb, or bring an existing one's tables up to date."""
    from indexer.creation import create

    home, created = create(named(invocation.home) or Path.cwd() / ".kb", model)
    words = "made" if created else "already there, tables up to date:"
    emit(
        {"home": str(home.path), "model": home.config.model, "created": created},
        as_json,
        lambda: iter([f"{words} {home.path} (model {home.config.model})"]),
    )


@root.group()
def source() -> None:
    """The sources that the knowledge base follows."""


_every = click.option("--every", metavar="INTERVAL", help="How often the daemon looks, such as 10m.")
_cron = click.option("--cron", metavar="FIELDS", help="When the daemon looks, such as '0 3 * * *'.")
_owner = click.option("--owner", metavar="WHO", help="Who answers for the source.")


@source.command("add")
@click.argument("name")
@click.argument("kind")
@click.argument("options", nargs=-1, metavar="[KEY=VALUE]...")
@_every
@_cron
@_owner
@json_option
@click.pass_obj
def add_source(
    invocation: Invocation, /, name: str, kind: str, options: Sequence[str], as_json: bool, **settings: str | None
) -> None:
    """Register a source of a KIND (folder, git, ...)."""
    added = _writer(invocation).add_source(name, kind, _pairs(options), base=Path.cwd(), **settings)
    emit(added, as_json, lambda: iter([f"added {added.name}: run `kb sync` to take it in"]))


@source.command("list")
@json_option
@click.pass_obj
def list_sources(invocation: Invocation, as_json: bool) -> None:
    """List the sources."""
    with invocation.base() as base:
        found = base.sources()
    emit(found, as_json, lambda: (_source_line(one) for one in found))


@source.command("show")
@click.argument("name")
@json_option
@click.pass_obj
def show_source(invocation: Invocation, name: str, as_json: bool) -> None:
    """Show one source's settings."""
    with invocation.base() as base:
        found = base.source(name)

    def lines() -> Iterator[str]:
        yield _source_line(found)
        yield from (f"  {key:<10} {value}" for key, value in found.options.items())
        yield f"  access     {'everyone' if found.access is None else ', '.join(found.access)}"

    emit(found, as_json, lines)


@source.command("check")
@click.argument("name")
@json_option
@click.pass_obj
def check_source(invocation: Invocation, name: str, as_json: bool) -> None:
    """See whether a source can be read, and what it holds now; writes nothing."""
    listing = _writer(invocation).check_source(name)
    found = {"documents": len(listing.entries), "revision": listing.revision, "skipped": dict(listing.skipped)}
    at = f" at {listing.revision}" if listing.revision else ""
    emit(found, as_json, lambda: iter([f"{name} can be read: {counted(len(listing.entries), 'document')}{at}"]))


@source.command("set")
@click.argument("name")
@click.argument("options", nargs=-1, metavar="[KEY=VALUE]...")
@_every
@_cron
@_owner
@json_option
@click.pass_obj
def set_source(
    invocation: Invocation, /, name: str, options: Sequence[str], as_json: bool, **settings: str | None
) -> None:
    """Change a source's settings; the next sync goes by the new ones."""
    changed = _writer(invocation).change_source(name, _pairs(options), base=Path.cwd(), **settings)
    emit(changed, as_json, lambda: iter([_source_line(changed)]))


@source.command("remove")
@click.argument("name")
@click.option("--purge", is_flag=True, help="Its documents leave the head, too; older versions keep them.")
@json_option
@click.pass_obj
def remove_source(invocation: Invocation, name: str, purge: bool, as_json: bool) -> None:
    """Stop following a source; its documents stay as they are."""
    published = _writer(invocation).remove_source(name, purge=purge)
    words = f"removed {name}" + (f" and its documents in version {published.version}" if published else "")
    emit({"removed": name, "version": published.version if published else None}, as_json, lambda: iter([words]))


@root.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--message", help="What the snapshots say of themselves.")
@click.option("--allow-deletes", is_flag=True, help="Let more documents go than the guard allows.")
@json_option
@click.pass_context
def sync(context: click.Context, names: Sequence[str], message: str | None, allow_deletes: bool, as_json: bool) -> None:
    """Bring sources up to date: embed the difference and publish it."""
    from indexer.report import ProgressBar, report_json, report_lines

    with ProgressBar() as progress:
        writer = _writer(context.obj, progress)
        report = writer.sync(names, message=message, allow_deletes=allow_deletes)
    for refusal in report.refused:
        tell(f"kb: {refusal.error}")
    emit(report_json(report), as_json, lambda: report_lines(report))
    if report.partial:
        context.exit(PARTIAL)


@root.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
@click.pass_context
def plan(context: click.Context, names: Sequence[str], as_json: bool) -> None:
    """Show what a sync would do: documents, embeddings, tokens, time; writes nothing."""
    from indexer.report import plan_lines

    plans = _writer(context.obj).plan(names)
    emit(plans, as_json, lambda: plan_lines(plans))
    if any(one.refusal for one in plans):
        context.exit(PARTIAL)


@root.command()
@click.option("--keep-last", "last", type=int, metavar="N", help="The newest N versions.")
@click.option("--keep-hourly", "hourly", type=int, metavar="N", help="The newest of each of the last N hours with one.")
@click.option("--keep-daily", "daily", type=int, metavar="N", help="Likewise for days,")
@click.option("--keep-weekly", "weekly", type=int, metavar="N", help="for weeks,")
@click.option("--keep-monthly", "monthly", type=int, metavar="N", help="and for months; all in UTC.")
@click.option("--keep-within", "within", metavar="DURATION", help="All younger than 2y5m7d3h, seen from the newest.")
@click.option("--keep-tagged", "tagged", is_flag=True, help="All that have a tag.")
@click.option("--dry-run", is_flag=True, help="Show what would go; write nothing.")
@json_option
@click.pass_obj
def retain(invocation: Invocation, /, dry_run: bool, as_json: bool, **rules: Any) -> None:
    """Keep the head and what any rule keeps; other versions expire, and what they alone needed goes."""
    from indexer.report import retention_lines
    from kb.retention import Policy

    found = _writer(invocation).retain(Policy(**rules), dry_run=dry_run)
    emit(found, as_json, lambda: retention_lines(found))


@quarantine.command("retry")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def retry_quarantine(invocation: Invocation, name: str | None, as_json: bool) -> None:
    """Have the next sync read them again."""
    count = _writer(invocation).retry_quarantined(name)
    words = f"{counted(count, 'document')} will be read again by the next `kb sync`"
    emit({"retried": count}, as_json, lambda: iter([words]))


def _writer(invocation: Invocation, observe: Any = None) -> "Writer":
    from indexer.progress import unobserved
    from indexer.writer import Writer

    return Writer(open_home(locate(invocation.home)), observe or unobserved)


def _pairs(options: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option!r} is not of the form key=value")
        if key in pairs:
            raise click.UsageError(f"{key!r} is given twice")
        pairs[key] = value
    return pairs


def _source_line(one: Any) -> str:
    settings = (("every", one.every), ("cron", one.cron), ("owner", one.owner))
    rest = "".join(f"  {key} {value}" for key, value in settings if value)
    return f"{one.name}  {one.kind}  {one.options.get('path') or one.options.get('url') or ''}{rest}"
