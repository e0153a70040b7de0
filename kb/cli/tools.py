"""The command that serves agents on this machine."""

import click

from kb.cli.frame import Invocation, root


@root.command()
@click.pass_obj
def mcp(invocation: Invocation) -> None:
    """Serve the knowledge base to an agent: MCP over standard input and output."""
    with invocation.base() as base:
        from kb.tools.server import serve_stdio

        serve_stdio(base)
