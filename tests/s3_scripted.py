"""An S3 server that a test dictates to: what it answers to each request, to the byte; and sockets that misbehave."""

import hashlib
import hmac
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes
from xml.sax.saxutils import escape

from s3_support import KEYS

from connectors.s3 import S3Connector, S3Options

MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


@dataclass(frozen=True)
class Reply:
    """`length` is what the reply says of itself, where that is not true."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(frozen=True)
class Request:
    """`target` is as it came; the rest is decoded."""

    target: str
    path: bytes
    query: dict[str, str]
    host: str


Script = Callable[[Request], Reply]


def error(code: str, status: int, **more: str) -> Reply:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in {"Code": code, **more}.items())
    return Reply(f"<?xml version='1.0'?><Error>{inner}</Error>".encode(), status)


def entry(key: str, etag: str = '"1"', size: int = 1, modified: str = "2024-01-01T00:00:00.000Z") -> str:
    """`key` is written as it stands."""
    tag = f"<ETag>{escape(etag)}</ETag>" if etag else ""
    return f"<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>{tag}<Size>{size}</Size></Contents>"


def listing(*entries: str, token: str | None = None, encoded: bool = True) -> Reply:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    head = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>{more}"
    head += "<EncodingType>url</EncodingType>" if encoded else ""
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    body = f'<?xml version="1.0"?><ListBucketResult xmlns="{space}">{head}{"".join(entries)}</ListBucketResult>'
    return Reply(body.encode())


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[Request]]]:
    """The server's URL, and the requests as they come."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = _request(self.path, self.headers["Host"])
            requests.append(request)
            reply = script(request)
            self.send_response(reply.status)
            headers = {"Content-Length": str(len(reply.body) if reply.length is None else reply.length)}
            for name, value in (headers | reply.headers).items():
                self.send_header(name, value)
            self.close_connection = reply.length is not None
            self.end_headers()
            self.wfile.write(reply.body)

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *words: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def connected(script: Script, prefix: str = "", **options: Any) -> Iterator[S3Connector]:
    """A connector to a server that follows the script."""
    with scripted(script) as (url, _):
        given = {"endpoint": url, **KEYS, **options}
        made = S3Connector(S3Options(f"s3://bucket/{prefix}", **given), workspace=Path("/nowhere"), max_bytes=2**20)
        yield made
        made.close()


@contextmanager
def raw(answer: bytes) -> Iterator[str]:
    """A server that sends these bytes to whoever asks, then stays silent until the test is over."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                kept.append(connection)
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


def signed_by(request: Request, secret: str = KEYS["secret_access_key"]) -> bool:
    """Whether the request is signed with that secret, as Amazon's Signature Version 4 for query strings tells."""
    path, _, query = request.target.partition("?")
    pairs = sorted(pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature="))
    whole = "\n".join(("GET", path, "&".join(pairs), f"host:{request.host}\n", "host", "UNSIGNED-PAYLOAD"))
    scope = request.query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(whole.encode()).hexdigest()
    words = f"AWS4-HMAC-SHA256\n{request.query['X-Amz-Date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, words.encode(), "sha256").hex() == request.query["X-Amz-Signature"]


def _request(target: str, host: str) -> Request:
    path, _, query = target.partition("?")
    return Request(target, unquote_to_bytes(path), dict(parse_qsl(query)), host)
