"""The application: routes that read one knowledge base, and what each of them has in common."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from kb.base import KnowledgeBase
from kb.http import documents, health, mcp, requests, search, sources, vector_stores, versions
from kb.http.access_log import AccessLog
from kb.http.bodies import Bodies
from kb.http.gate import Gate
from kb.http.labels import Labels
from kb.http.limits import LIMITS, Limits
from kb.http.openapi import described
from kb.http.problems import add_problems

Ready = Callable[[], str | None]
"""What is still to be waited for before requests can be answered; None where nothing is."""
_ROUTERS = (
    search.router,
    versions.router,
    documents.router,
    sources.router,
    vector_stores.router,
    requests.router,
)
_SUMMARY = "A versioned knowledge base: answers as of any version, with proof."


def make_app(
    base: KnowledgeBase, ready: Ready, routers: tuple[APIRouter, ...] = (), limits: Limits = LIMITS
) -> FastAPI:
    """Reads the knowledge base; `routers` are further routes, under `/v1`."""
    app = FastAPI(
        title="Palimpsest",
        version=version("palimpsest"),
        summary=_SUMMARY,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.base, app.state.ready, app.state.limits, app.state.gate = base, ready, limits, Gate(limits)
    add_problems(app)
    # The last that is added is the first to see a request.
    app.add_middleware(Bodies, limits=limits)
    app.add_middleware(Labels)
    if base is not None and base.home.config.access_log:
        app.add_middleware(AccessLog)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(mcp.router, include_in_schema=False)
    for router in (*_ROUTERS, *routers):
        app.include_router(router, prefix="/v1")
    app.openapi = lambda: _remembered(app)  # type: ignore[method-assign]
    return app


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the routes that read."""
    # Describing the routes reads nothing.
    return make_app(cast(KnowledgeBase, None), lambda: None).openapi()


def _remembered(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = described(app)
    return app.openapi_schema


def _operation_id(route: APIRoute) -> str:
    return route.name
