"""The commands on sources: `kb source`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from indexer.commands.base import daemon_of, writer_of
from kb.cli.frame import Invocation, emit, json_option, root
from kb.cli.render import counted


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
    added = writer_of(invocation).add_source(name, kind, _pairs(options), base=Path.cwd(), **settings)
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
        settings = {key: getattr(found, key) for key in ("fresh_within", "delete_guard", "keep_original")}
        told = {**found.options, **{key: value for key, value in settings.items() if value}}
        told["access"] = "everyone" if found.access is None else list(found.access)
        yield from (f"  {key:<13} {_told(value)}" for key, value in told.items())

    emit(found, as_json, lines)


def _told(value: Any) -> str:
    """As one would write it."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "nobody"
    return str(value).lower() if isinstance(value, bool) else str(value)


@source.command("check")
@click.argument("name")
@json_option
@click.pass_obj
def check_source(invocation: Invocation, name: str, as_json: bool) -> None:
    """See whether a source can be read, and what it holds now; writes nothing."""
    listing = writer_of(invocation).check_source(name)
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
    changed = writer_of(invocation).change_source(name, _pairs(options), base=Path.cwd(), **settings)
    hint = f"holds with the next sync: run `kb sync {changed.name}`"
    emit(changed, as_json, lambda: iter([_source_line(changed), hint]))


@source.command("remove")
@click.argument("name")
@click.option("--purge", is_flag=True, help="Its documents leave the head, too; older versions keep them.")
@json_option
@click.pass_obj
def remove_source(invocation: Invocation, name: str, purge: bool, as_json: bool) -> None:
    """Stop following a source; its documents stay as they are."""
    daemon = daemon_of(invocation)
    if daemon:
        version = daemon.remove(name, purge)
    else:
        published = writer_of(invocation).remove_source(name, purge=purge)
        version = published.version if published else None
    words = f"removed {name}" + (f" and its documents in version {version}" if version else "")
    emit({"removed": name, "version": version}, as_json, lambda: iter([words]))


@source.command("apply")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Also stop following sources that the file does not name.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@json_option
@click.pass_obj
def apply_sources(invocation: Invocation, file: Path, prune: bool, dry_run: bool, as_json: bool) -> None:
    """Bring the sources in line with a YAML FILE: a list of them under the key `sources`."""
    from indexer.report import reconciliation_lines

    found = writer_of(invocation).apply_sources(file, prune=prune, dry_run=dry_run)
    emit(found, as_json, lambda: reconciliation_lines(found))


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
