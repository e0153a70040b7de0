"""Connections to the very addresses that were checked, each request within its deadline."""

import ipaddress
import math
import socket
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any

import httpcore

from kb.errors import DocumentUnavailable

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's own: not private, local, shared, reserved or for many at once."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        # What carries an IPv4 address inside is as public as that.
        inner = found.ipv4_mapped or found.sixtofour
        if found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return found in _PUBLIC_V6 and found.is_global
    return found.is_global and not found.is_multicast


class Backend(httpcore.NetworkBackend):
    """Resolves a name, refuses it where an address is not permitted, and connects to what it resolved: no second
    look-up could answer otherwise."""

    def __init__(self, permits: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self.deadline = math.inf
        self._permits = permits
        self._clock = clock
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._resolve(host, port)
        while True:
            address = addresses.pop(0)
            try:
                stream = self._sockets.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
                return Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise

    def left(self, timeout: float | None) -> float:
        """Seconds that the next step may take. Raises ReadTimeout where none are left."""
        seconds = self.deadline - self._clock()
        if seconds <= 0:
            raise httpcore.ReadTimeout("it takes too long as a whole")
        return seconds if timeout is None else min(timeout, seconds)

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if refused := [each for each in addresses if not self._permits(each)]:
            remedy = "set allow_private=true if that is meant"
            raise DocumentUnavailable(f"{host} is at {refused[0]}, which is not a public address; {remedy}")
        return addresses


class Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the backend's deadline, so that no drip keeps it open."""

    def __init__(self, stream: httpcore.NetworkStream, backend: Backend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._backend.left(timeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
