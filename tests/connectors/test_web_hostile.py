"""Servers that mean harm or are broken: nothing hangs, nothing fills memory, no secret and no request goes astray."""

import gzip
import socket
import threading
import time
import tracemalloc

import pytest
from website import Reply, Website, page, redirect, sitemap

from connectors.protocol import Entry
from connectors.web import WebConnector, WebOptions
from connectors.web.cache import Cache
from connectors.web.connection import Backend, is_public
from connectors.web.outcome import Failure, Page
from connectors.web.pace import Pace
from connectors.web.visit import Visitor
from connectors.web.wire import Wire
from kb.errors import DocumentUnavailable, ExtractionError, SourceUnavailable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def trouble(site, browse, reply: Reply, **options) -> Exception:
    """What the fetch of a page that answers so raises, beside one that is well."""
    site.replies |= {"/a": page(), "/bad": reply}
    connector = browse("/a", "/bad", **options)
    listing = connector.poll(None)
    assert [entry.uri for entry in listing.entries] == [site.url("/a"), site.url("/bad")]
    assert connector.fetch(listing.entries[0]).content == page().body
    with pytest.raises((DocumentUnavailable, ExtractionError)) as caught:
        connector.fetch(listing.entries[1])
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: 100\r\n\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD[:30],
        b"",
        b"\x00\xff garbage \r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
        HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_half_answers_and_garbage_are_trouble(site, browse, raw: bytes) -> None:
    assert isinstance(trouble(site, browse, Reply(raw=raw)), DocumentUnavailable)


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_packed_body_that_ends_early_is_trouble(site, browse, cut: int) -> None:
    body = gzip.compress(bytes(range(256)) * 9)[:-cut]
    error = trouble(site, browse, Reply(body, headers={"Content-Encoding": "gzip"}))
    assert "ends early" in str(error)


def test_packed_bodies_are_unpacked(site, browse) -> None:
    packed = {"Content-Encoding": "gzip"}
    site.replies |= {"/a": Reply(gzip.compress(b"one") + gzip.compress(b"two"), headers=packed)}
    site.replies |= {"/empty": Reply(b"", headers=packed), "/br": Reply(b"x", headers={"Content-Encoding": "br"})}
    connector = browse("/a", "/empty", "/br")
    entries = connector.poll(None).entries
    assert [connector.fetch(entry).content for entry in entries if "br" not in entry.uri] == [b"onetwo", b""]
    with pytest.raises(DocumentUnavailable, match="packed by 'br'"):
        connector.fetch(entries[1])


def test_a_bomb_is_stopped_at_the_limit(site, browse) -> None:
    bomb = gzip.compress(bytes(2**28))
    tracemalloc.start()
    error = trouble(site, browse, Reply(bomb, headers={"Content-Encoding": "gzip"}))
    assert "more bytes than the 1,048,576 allowed" in str(error)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


def test_a_body_without_end_is_stopped_at_the_limit(site, browse) -> None:
    error = trouble(site, browse, Reply(raw=HEAD + b"Connection: close\r\n\r\n" + b"x" * 2**23))
    assert isinstance(error, ExtractionError)


def test_a_server_that_does_not_answer_is_not_waited_for(site, browse) -> None:
    done = threading.Event()
    started = time.monotonic()
    error = trouble(site, browse, Reply(before=lambda: done.wait(30)), timeout_s=0.2)
    assert "does not answer within 0.2 s" in str(error)
    assert time.monotonic() - started < 10
    done.set()


def test_a_drip_is_not_listened_to_for_ever(tmp_path) -> None:
    """Each byte comes in time, the answer never ends."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server, done))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"robots.txt does not answer within 0.2 s, or 2 s as a whole"):
            connector(tmp_path, url, timeout_s=0.2).poll(None)
        assert time.monotonic() - started < 10
        done.set()
        thread.join()


def _drip(server: socket.socket, done: threading.Event) -> None:
    peer, _ = server.accept()
    with peer:
        peer.sendall(HEAD + b"X: ")
        while not done.wait(0.05):
            try:
                peer.sendall(b"x")
            except OSError:
                return


def connector(tmp_path, *urls: str, **options) -> WebConnector:
    options = {"allow_private": True, **options}
    return WebConnector(WebOptions(urls, **options), workspace=tmp_path / "workspace", sleep=lambda seconds: None)


def test_a_site_that_is_not_there_is_unavailable(tmp_path) -> None:
    with Website() as gone:
        there = gone.url("/a")
    for url, reason in [(there, "Connection refused"), ("http://name.invalid/", "name.invalid cannot be resolved")]:
        with pytest.raises(SourceUnavailable, match=reason):
            connector(tmp_path, url).poll(None)
    with pytest.raises(SourceUnavailable, match="cannot be resolved"):
        connector(tmp_path, f"http://{'a' * 70}.example/").poll(None)


def test_https_without_a_trusted_certificate_is_refused(site, tmp_path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        connector(tmp_path, site.url("/").replace("http://", "https://")).poll(None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_however_they_are_spelt(site, tmp_path, host: str) -> None:
    site.replies["/"] = page()
    with pytest.raises(SourceUnavailable, match=r"not a public address; set allow_private=true|cannot be resolved"):
        connector(tmp_path, f"http://{host}:{site.port}/", allow_private=False).poll(None)
    assert site.asked == []


PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
LOCAL = (
    "127.0.0.1 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 192.0.2.1 "
    "198.18.0.1 240.0.0.1 :: ::1 fe80::1 fe80::1%lo fc00::1 ff02::1 fec0::1 2001:db8::1 ::ffff:127.0.0.1 ::127.0.0.1 "
    "64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1::1 2001:0:7f00:1::"
)


@pytest.mark.parametrize(
    ("address", "public"), [*((each, True) for each in PUBLIC), *((e, False) for e in LOCAL.split())]
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.fixture
def visitor(tmp_path):
    """One for whom 127.0.0.1 is the whole internet."""
    wire = Wire(5.0, lambda address: address == "127.0.0.1")
    yield Visitor(wire, Cache(tmp_path, 2**20), Pace(1000.0, time.monotonic, time.sleep), {}, 2**20)
    wire.close()


def test_each_redirect_is_checked(site, visitor) -> None:
    with Website("127.0.0.2") as inner:
        inner.replies["/secret"] = page()
        site.replies |= {"/a": redirect("/b"), "/b": redirect(inner.url("/secret")), "/c": page()}
        refused = visitor.visit(site.url("/a"))
        assert isinstance(refused, Failure)
        assert "127.0.0.2 is at 127.0.0.2, which is not a public address" in str(refused.error)
        assert isinstance(visitor.visit(site.url("/c")), Page)
        with pytest.raises(SourceUnavailable, match="not a public address"):
            visitor.listing(site.url("/b"))
        assert inner.asked == []


def test_robots_txt_leads_nowhere_else(site, visitor) -> None:
    with Website("127.0.0.2") as inner:
        site.replies |= {"/robots.txt": redirect(inner.url("/robots.txt")), "/a": page()}
        with pytest.raises(SourceUnavailable, match="not a public address"):
            visitor.visit(site.url("/a"))
        assert inner.asked == []


def test_what_was_checked_is_what_is_connected_to(site) -> None:
    checked: list[str] = []
    backend = Backend(lambda address: not checked.append(address), time.monotonic)
    stream = backend.connect_tcp("localhost", site.port, 5.0)
    assert stream.get_extra_info("server_addr")[0] in checked
    stream.close()


def test_credentials_go_to_the_named_site_alone(site, browse) -> None:
    with Website() as other:
        site.replies |= {
            "/a": redirect(other.url("/b")),
            "/c": page(),
            "/map": sitemap(other.url("/d"), site.url("/c")),
        }
        other.replies |= {"/b": page(), "/d": redirect(site.url("/c"))}
        browse("/a", sitemap=("/map",), authorization="Bearer s3cret").poll(None)
        assert {headers.get("authorization") for headers in site.headers} == {"Bearer s3cret"}
        assert {headers.get("authorization") for headers in other.headers} == {None}
        assert {path for path, _ in other.asked} == {"/b", "/d", "/robots.txt"}


def test_a_password_in_a_url_is_sent_and_never_shown(site, browse, tmp_path) -> None:
    site.replies["/a"] = page()
    secret = site.url("/a").replace("//", "//user:pass%20word@")
    connector = browse(secret)
    (entry,) = connector.poll(None).entries
    assert entry.uri == site.url("/a")
    assert site.headers[-1]["authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
    site.replies["/a?token=hidden"] = Reply(status=500)
    with pytest.raises(SourceUnavailable) as caught:
        browse(secret + "?token=hidden").poll(None)
    assert all(word not in str(caught.value) for word in ("user", "pass", "hidden"))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"pass" not in kept


def test_who_asks_is_told(site, browse) -> None:
    site.replies["/a"] = page()
    browse("/a").poll(None)
    assert all(headers["user-agent"].startswith("Palimpsest/") for headers in site.headers)
    assert {headers["host"] for headers in site.headers} == {f"127.0.0.1:{site.port}"}


def test_nothing_of_the_environment_is_followed(site, browse, monkeypatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    site.replies["/a"] = page()
    assert len(browse("/a").poll(None).entries) == 1


def test_a_broken_connection_is_tried_once_more(site, browse) -> None:
    answers = iter([Reply(raw=b""), page()])
    site.find = lambda path: next(answers) if path == "/a" else None
    connector = browse("/a")
    assert connector.fetch(Entry(site.url("/a"), "")).content == page().body
