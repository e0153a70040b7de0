"""Connections whose other side neither asks nor reads, or asks without end, are given up."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from kb.http.problems import problem

_AHEAD: Final = 100
"""Requests that may be sent before the one under way was answered: each takes memory."""


def connection(patience_s: float) -> type[asyncio.Protocol]:
    """The server's protocol; where nothing moves from one look to the next, `patience_s` apart, it hangs up."""

    class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._look_later(self._stands())

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if len(getattr(self, "pipeline", ())) > _AHEAD:
                self.transport.abort()

        def send_400_response(self, msg: str) -> None:
            refusal = problem(400, "BadRequest", msg, closing=True)
            lines = [b"HTTP/1.1 400 Bad Request", *(b": ".join(header) for header in refusal.raw_headers), b"", b""]
            self.transport.write(b"\r\n".join(lines) + bytes(refusal.body))
            self.transport.close()

        def _look_later(self, before: Any) -> None:
            self.loop.call_later(patience_s, self._look, before)

        def _look(self, before: Any) -> None:
            if self not in self.connections:
                return
            after = self._stands()
            if after is not None and after == before:
                self.transport.abort()
            else:
                self._look_later(after)

        def _stands(self) -> Any:
            """What tells that nothing moved; None while it is for the server to move."""
            done = self.cycle is None or self.cycle.response_complete
            if not done and not self.flow.write_paused:
                return None
            return self.cycle, self.transport.get_write_buffer_size()

    return Patient
