"""The tools over streamable HTTP: each request stands for itself, so any process may answer it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from kb.tools.server import BaseOf, make_server

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
"""An ASGI application."""

LARGEST_BODY: Final = 2**20
"""Bytes of a request."""

_LOOPBACK: Final = ("127.0.0.1", "::1")
_LOCAL: Final = TransportSecuritySettings(
    allowed_hosts=["127.0.0.1", "localhost", "[::1]", "127.0.0.1:*", "localhost:*", "[::1]:*"],
    allowed_origins=["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"],
)


def make_app(base_of: BaseOf) -> App:
    """Answers POST at whatever path it is mounted; `base_of` is given Starlette's request."""
    # It tells of each request as if a server had started.
    logging.getLogger("mcp.server.streamable_http_manager").setLevel(logging.WARNING)
    server = make_server(base_of)

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        # A new one for each: it can be used by one event loop only, and has to be closed there.
        manager = StreamableHTTPSessionManager(
            server,
            json_response=True,
            stateless=True,
            security_settings=_security(scope),
            max_request_body_size=LARGEST_BODY,
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    return app


def _security(scope: Mapping[str, Any]) -> TransportSecuritySettings | None:
    """A web page must not reach the local user's knowledge base by a name that it has made point here."""
    keyed = any(name == b"authorization" for name, _ in scope["headers"])
    local = (scope.get("client") or ("",))[0] in _LOOPBACK
    return _LOCAL if local and not keyed else None
