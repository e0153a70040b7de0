"""What the tests of the service share: a server on a loopback port, and words spoken to it by hand."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter

import kb
from kb.http.app import make_app
from kb.http.limits import LIMITS, Limits
from kb.http.server import Server


@contextmanager
def serving(home: Path, limits: Limits = LIMITS, routers: tuple[APIRouter, ...] = ()) -> Iterator[Server]:
    """A real server of a home, in this process."""
    with kb.open(home) as base:
        server = Server(make_app(base, lambda: None, routers, limits), "127.0.0.1", 0, limits=limits)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def client_of(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(server.address, timeout=30) as found:
        yield found


def post(body: bytes, path: str = "/v1/search", *headers: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json"]
    length = () if headers else (f"Content-Length: {len(body)}",)
    return "\r\n".join([*lines, *length, *headers, "", ""]).encode() + body


def spoken(server: Server, request: bytes) -> tuple[int, Any]:
    """The status and the JSON of the reply to bytes."""
    with connected(server) as connection:
        connection.sendall(request)
        return replied(connection)


def replied(connection: socket.socket) -> tuple[int, Any]:
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    headers = dict(line.decode().lower().strip().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
    return status, json.loads(stream.read(int(headers["content-length"])))


def still_answers(server: Server) -> bool:
    with client_of(server) as client:
        return client.post("/v1/search", json={"query": "alpha", "k": 1}).status_code == 200
