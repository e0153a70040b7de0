"""The command that thins old versions: `kb retain`."""

from typing import Any

import click

from indexer.commands.base import daemon_of, writer_of
from kb.cli.frame import Invocation, emit, json_option, root


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

    policy, daemon = Policy(**rules), daemon_of(invocation)
    found = daemon.retain(policy) if daemon and not dry_run else writer_of(invocation).retain(policy, dry_run=dry_run)
    emit(found, as_json, lambda: retention_lines(found))
