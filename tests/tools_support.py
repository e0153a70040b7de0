"""What the tests of tools share: a home, its agents over both transports, and the server between."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crash_support import KB
from fastapi import APIRouter, FastAPI
from mcp import Client, StdioServerParameters

import kb
from kb.http.app import make_app
from kb.http.server import Server

Use = Callable[[Client], Awaitable[Any]]


@contextmanager
def served(home: Path, *routers: APIRouter, path: Path | None = None) -> Iterator[str]:
    """The URL of a real server of the home."""
    with kb.open(home) as base:
        app = make_app(base, lambda: None, routers)
        with running(app, path) as url:
            yield url


@contextmanager
def running(app: FastAPI, path: Path | None = None) -> Iterator[str]:
    server = Server(app, "127.0.0.1", 0, path)
    server.start()
    try:
        yield "http://{}:{}".format(*server.address)
    finally:
        server.stop()


def over_stdio(home: Path, use: Use) -> Any:
    command = StdioServerParameters(command=str(KB), args=["--home", str(home), "mcp"], env=dict(os.environ))
    return _with(Client(command), use)


def over_http(url: str, use: Use) -> Any:
    return _with(Client(f"{url}/mcp"), use)


def _with(client: Client, use: Use) -> Any:
    async def talk() -> Any:
        async with client:
            return await use(client)

    return asyncio.run(asyncio.wait_for(talk(), 60))
