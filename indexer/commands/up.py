"""The command that follows all sources until it is stopped: `kb up`."""

import click

from kb.cli.frame import Invocation, root
from kb.home import locate, open_home
from kb.memory import bound


@root.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8710, show_default=True, type=click.IntRange(0, 65535), help="0 is any free one.")
@click.option("--log", "form", type=click.Choice(["human", "json"]), default="human", show_default=True)
@click.pass_context
def up(context: click.Context, host: str, port: int, form: str) -> None:
    """Follow every source: watch, look by schedule, index, and serve; Ctrl-C or SIGTERM ends it."""
    bound()
    from indexer.daemon.up import up as run

    invocation: Invocation = context.obj
    context.exit(run(open_home(locate(invocation.home)), host, port, form))  # type: ignore[arg-type]
