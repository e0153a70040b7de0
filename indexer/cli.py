"""The `kb` command: the reading commands, and those that write."""

import signal
import sys
from pathlib import Path

import click

from indexer.commands import pushing, retaining, sources, syncing, up
from kb.cli import keys, serve, tools
from kb.cli.frame import Invocation, emit, json_option, root, run
from kb.home import DEFAULT_MODEL, named

__all__ = ["pushing", "retaining", "serve", "sources", "syncing", "tools", "up"]

root.add_command(keys.key)


def main() -> None:
    # Who stops a container or a unit is answered as Ctrl-C is.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
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
