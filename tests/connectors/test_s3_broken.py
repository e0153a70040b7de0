"""S3 servers that refuse, break off, hang or talk nonsense: one clear line, nothing lost, no waiting in vain."""

import time
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from s3_scripted import Reply, Request, Script, connected, entry, error, listing, raw, scripted
from s3_support import KEYS

from connectors.protocol import Entry
from connectors.s3 import S3Connector, S3Options
from connectors.s3.wire import NoAnswer, TooLarge, Wire
from kb.errors import DocumentGone, DocumentUnavailable, SourceUnavailable

HTML = Reply(b"<!doctype html><title>Welcome</title>")
BOMB = b"<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
    f"<!ENTITY {name} '{('&' + before + ';') * 10}'>".encode()
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def always(reply: Reply) -> Script:
    return lambda request: reply


def refusal(script, **options) -> str:
    """The one line with which polling is refused, none of it a secret."""
    with connected(script, **options) as connector, pytest.raises(SourceUnavailable) as caught:
        connector.poll(None)
    line = str(caught.value)
    assert line.startswith("bucket bucket at http://127.0.0.1:")
    assert not any(word in line for word in ("\n", "s3cret", "Signature=", "Credential"))
    return line


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error("ExpiredToken", 400), "400 ExpiredToken: `session_token` has expired"),
        (error("InvalidToken", 400), "`session_token` is wrong"),
        (error("RequestTimeTooSkewed", 403), "this machine's clock"),
        (error("AccessDenied", 403), "403 AccessDenied: access is denied to `access_key_id`; let them list"),
        (error("AuthorizationHeaderMalformed", 400, Region="eu-west-1"), "give region=eu-west-1"),
        (error("PermanentRedirect", 301), "correct `region` or `endpoint`"),
        (
            Reply(status=301, headers={"x-amz-bucket-region": "eu-north-1"}),
            "301: the bucket is in another region; give region=eu-north-1",
        ),
        (Reply(status=307, headers={"Location": "http://127.0.0.1:1/"}), "307: the bucket is to be read elsewhere"),
        (error("SlowDown", 503), "503 SlowDown: the server is busy or out of order; try again later"),
        (Reply(b"<html>", 404), "404: this is not how S3 answers; correct `endpoint`"),
        (Reply(b"", 403), "403: access is denied"),
        (Reply(b"\xff\x00", 400), "400: this is not how S3 answers"),
        (error("No\nsuch s3cret", 400), "400: this is not how S3 answers"),
        (Reply(b"x" * 10**6, 400), "400: this is not how S3 answers"),
        (HTML, "did not answer with a listing: it is not well-formed XML; correct `endpoint`"),
        (Reply(b""), "it is not well-formed XML"),
        (Reply(b"<ok/>"), "it is not XML of a listing"),
        (Reply(BOMB + b"]><ListBucketResult>&i;</ListBucketResult>"), "it is not well-formed XML"),
        (Reply(b"<?xml version='1.0' encoding='utf-99'?><a/>"), "it is not well-formed XML"),
        (Reply(b"<ListBucketResult/>"), "it does not tell whether it is complete"),
        (Reply(b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), "how it goes on"),
        (listing(entry("")), "an object without a key"),
        (listing(entry("a.md", etag="", modified="")), "neither ETag nor LastModified"),
        (listing(entry("a.md"), token="again"), "it goes in circles"),
    ],
)
def test_an_answer_that_is_no_listing_is_named_with_the_option_to_mend(reply: Reply, words: str) -> None:
    assert words in refusal(always(reply))


def test_a_server_that_ignores_the_prefix_is_not_believed() -> None:
    assert "it holds keys outside of the prefix" in refusal(lambda request: listing(entry("other/a.md")), prefix="docs")


@pytest.mark.parametrize(
    "second",
    [
        error("InternalError", 500),
        error("AccessDenied", 403),
        HTML,
        Reply(b"<ListBucketResult>"),
        Reply(b"", length=10),
    ],
)
def test_a_listing_that_breaks_on_its_second_page_is_none(second: Reply) -> None:
    def script(request: Request) -> Reply:
        return second if "continuation-token" in request.query else listing(entry("a.md"), token="2+/=")

    refusal(script)


def test_pages_are_of_a_thousand_and_tokens_go_back_as_they_came() -> None:
    tokens = ["", "1+/= &é", "2", ""]

    def script(request: Request) -> Reply:
        assert request.query["max-keys"] == "1000"
        number = tokens.index(request.query.get("continuation-token", ""))
        return listing(entry(f"{number}.md"), token=tokens[number + 1].replace("&", "&amp;") or None)

    with connected(script) as connector:
        assert [each.uri for each in connector.poll(None).entries] == ["0.md", "1.md", "2.md"]


def test_what_fails_for_a_moment_is_asked_again() -> None:
    replies = [error("SlowDown", 503), Reply(b"<cut", length=99), listing(entry("a.md"))]
    with connected(lambda request: replies.pop(0)) as connector:
        assert len(connector.poll(None).entries) == 1
    assert replies == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error("AccessDenied", 403), "a.md cannot be read: 403 AccessDenied"),
        (error("InternalError", 500), "a.md cannot be read: 500 InternalError: the server is busy"),
        (Reply(b"<html>", 404), "a.md cannot be read: 404"),
        (Reply(b"half", length=10), "a.md cannot be read: the answer broke off"),
    ],
)
def test_one_object_that_fails_is_unavailable_and_not_gone(reply: Reply, words: str) -> None:
    def script(request: Request) -> Reply:
        return listing(entry("a.md")) if "list-type" in request.query else reply

    with connected(script) as connector, pytest.raises(DocumentUnavailable, match=words) as caught:
        connector.fetch(Entry("a.md", ""))
    assert not isinstance(caught.value, DocumentGone)


@pytest.mark.parametrize("page", [error("AccessDenied", 403), error("InternalError", 500), Reply(b"", length=10), HTML])
def test_where_the_whole_bucket_fails_the_source_is_unavailable(page: Reply) -> None:
    def script(request: Request) -> Reply:
        return page if "list-type" in request.query else error("InternalError", 400)

    with connected(script) as connector, pytest.raises(SourceUnavailable):
        connector.fetch(Entry("a.md", ""))


def test_a_silent_server_is_not_waited_for() -> None:
    with raw(b"") as url:
        connector = S3Connector(S3Options("s3://bucket", endpoint=url, timeout_s=1, **KEYS), workspace=Path("/nowhere"))
        since = time.monotonic()
        with pytest.raises(SourceUnavailable, match="did not answer within 1 s; check the network and `endpoint`"):
            connector.poll(None)
        assert time.monotonic() - since < 10
        connector.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", "did not answer within 0.2 s"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "did not answer within 0.2 s"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nhalf", "did not answer within 0.2 s"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off, or was no HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "broke off, or was no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "broke off, or was no HTTP"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n", "broke off, or was no HTTP"),
    ],
)
def test_half_an_answer_is_none(answer: bytes, words: str) -> None:
    with raw(answer) as url, closing(Wire(0.2)) as wire, pytest.raises(NoAnswer, match=words):
        wire.get(url, 100)


def test_a_server_that_drips_is_given_up() -> None:
    # A clock that runs a thousand seconds from one look to the next.
    looks = count(step=1000)
    with scripted(always(Reply(b"x" * 5_000_000))) as (url, _), pytest.raises(NoAnswer, match="too slowly"):
        Wire(2, clock=lambda: float(next(looks))).get(url, 10**7)


@pytest.mark.parametrize("length", [None, 10**12])
def test_more_than_was_allowed_is_not_read(length: int | None) -> None:
    script = always(Reply(b"x" * 101, length=length))
    with scripted(script) as (url, _), closing(Wire(5)) as wire, pytest.raises(TooLarge):
        wire.get(url, 100)
