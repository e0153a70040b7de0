"""The application: routes that read one knowledge base, and what each of them has in common."""

from collections.abc import Callable
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from kb.base import KnowledgeBase
from kb.http import health, mcp
from kb.http.problems import add_problems

Ready = Callable[[], str | None]
"""What is still to be waited for before requests can be answered; None where nothing is."""


def make_app(base: KnowledgeBase, ready: Ready, routers: tuple[APIRouter, ...] = ()) -> FastAPI:
    """Reads the knowledge base; `routers` are further routes, under `/v1`."""
    app = FastAPI(title="Palimpsest", version=version("palimpsest"), docs_url=None, redoc_url=None)
    app.state.base = base
    app.state.ready = ready
    add_problems(app)
    app.include_router(health.router)
    app.include_router(mcp.router)
    for router in routers:
        app.include_router(router, prefix="/v1")
    return app
