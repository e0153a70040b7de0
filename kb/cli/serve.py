"""The command that serves over HTTP."""

import click

from kb.cli.frame import Invocation, emit, json_option, root, tell
from kb.home import locate, open_home
from kb.memory import bound


@root.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8710, show_default=True, type=click.IntRange(0, 65535), help="0 is any free one.")
@json_option
@click.pass_obj
def serve(invocation: Invocation, host: str, port: int, as_json: bool) -> None:
    """Serve the knowledge base over HTTP, read-only; Ctrl-C or SIGTERM ends it. Any number may run."""
    bound()
    from kb.http.serving import serve as run

    def listening(url: str) -> None:
        tell(f"kb: listening on {url}")
        if as_json:
            emit({"url": url}, True, lambda: iter(()))

    run(open_home(locate(invocation.home)), host, port, listening)
