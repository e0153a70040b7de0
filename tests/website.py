"""A website on the loopback: a real HTTP server whose answers a test lays out, and which notes what it was asked."""

import gzip
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, unquote_to_bytes

LONG_AGO = 1_600_000_000


@dataclass(frozen=True)
class Reply:
    """What one path answers. `raw` is sent as it stands instead, and the connection ends; `before` is called first."""

    body: bytes = b""
    media_type: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = False
    modified: int | None = None
    raw: bytes | None = None
    before: Callable[[], object] | None = None


def redirect(target: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": target})


def sitemap(*urls: str) -> Reply:
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return Reply(f'<?xml version="1.0"?><urlset xmlns="{space}">{entries}</urlset>'.encode(), "application/xml")


def sitemap_index(*urls: str) -> Reply:
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return Reply(f"<sitemapindex>{entries}</sitemapindex>".encode(), "application/xml")


def packed(reply: Reply) -> Reply:
    return Reply(gzip.compress(reply.body, mtime=0), "application/gzip")


def page(*links: str, words: str = "words", head: str = "") -> Reply:
    anchors = "".join(f'<a href="{link}">there</a>' for link in links)
    return Reply(f"<html><head><title>T</title>{head}</head><body><p>{words}</p>{anchors}</body></html>".encode())


class Website:
    """`asked` holds path and status of each request in order, `headers` the headers of each, `down` breaks it all."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        self.down = False
        self.host = host
        self.find: Callable[[str], Reply | None] = self.replies.get
        self._server = _Server((host, 0), type("Answering", (_Answering,), {"site": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for since the last time, robots.txt left out."""
        found = [path for path, _ in self.asked if path != "/robots.txt"]
        self.asked.clear()
        return found

    def statuses(self) -> dict[str, int]:
        """The last status of each path that was asked for since the last time."""
        found = dict(self.asked)
        self.asked.clear()
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "Website":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # Whoever asks may hang up at any time.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FolderSite(Website):
    """The files of a folder, and a sitemap of them all; 503 while the folder is away."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = os.fsencode(root)
        self.find = self._find

    def url_of(self, name: bytes) -> str:
        return self.url("/" + quote(name))

    def _find(self, path: str) -> Reply | None:
        if not os.path.isdir(self._root):
            return Reply(status=503)
        if path == "/sitemap.xml":
            return sitemap(*map(self.url_of, self._names()))
        file = os.path.join(self._root, unquote_to_bytes(path.lstrip("/")))
        if not os.path.isfile(file):
            return None
        with open(file, "rb") as opened:
            return Reply(opened.read(), "text/markdown", etag=True)

    def _names(self) -> Iterator[bytes]:
        for at, _, names in os.walk(self._root):
            yield from (os.path.relpath(os.path.join(at, name), self._root) for name in names)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    site: Website

    def do_GET(self) -> None:
        reply = Reply(status=503) if self.site.down else self.site.find(self.path)
        reply = Reply(status=404) if reply is None else reply
        if reply.before:
            reply.before()
        headers = self._headers(reply)
        status = 304 if self._is_known(headers) and reply.status == 200 else reply.status
        self.site.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.site.asked.append((self.path, status))
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0" if status == 304 else str(len(reply.body)))
        self.end_headers()
        self.wfile.write(b"" if status == 304 else reply.body)

    def _headers(self, reply: Reply) -> dict[str, str]:
        headers = dict(reply.headers)
        if reply.media_type:
            headers["Content-Type"] = reply.media_type
        if reply.etag:
            headers["ETag"] = f'"{hashlib.sha256(reply.body).hexdigest()}"'
        if reply.modified is not None:
            headers["Last-Modified"] = formatdate(reply.modified, usegmt=True)
        return headers

    def _is_known(self, headers: dict[str, str]) -> bool:
        known = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return any(self.headers.get(asks) == headers[has] for has, asks in known.items() if has in headers)

    def log_message(self, format: str, *arguments: object) -> None: ...
