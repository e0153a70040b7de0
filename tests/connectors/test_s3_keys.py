"""S3 keys of every sort that Amazon allows, and what a listing or an object may say of itself."""

from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import pytest
from s3_scripted import MODIFIED, Reply, Request, connected, entry, error, listing, signed_by
from s3_support import KEYS

from connectors.protocol import Entry
from connectors.s3 import S3Options
from connectors.s3.address import address
from connectors.s3.signing import Signer
from connectors.uri import uri_of
from kb.errors import DocumentGone, DocumentUnavailable

ODD = [
    "//a.md",
    "/lead.md",
    "a//b.md",
    "a b.md",
    "a+b.md",
    "two\nlines.md",
    "tab\t.md",
    "\x01\x7f.md",
    "100%.md",
    "50%25.md",
    "%2F..%2f.md",
    "back\\slash.md",
    "#?&=;:@!$'()*,~.md",
    '<&>".md',
    "e\u0301.md",
    "\u00a0\u2028\ufffd.md",
    "🌍.md",
    "...",
    "x" * 900,
]


def serving(objects: dict[str, Reply], *entries: str):
    """A script: a listing of these objects, or of the entries given, and each object to whoever signs for it."""

    def script(request: Request) -> Reply:
        if not signed_by(request):
            return error("SignatureDoesNotMatch", 403)
        if "list-type" in request.query:
            return listing(*(entries or (entry(quote_plus(key)) for key in objects)))
        return objects.get(request.path.removeprefix(b"/bucket/").decode(), error("NoSuchKey", 404))

    return script


@pytest.mark.parametrize("prefix", ["", "docs", "docs//x y"])
def test_every_key_is_listed_and_fetched_by_its_own_name(prefix: str) -> None:
    whole = {f"{prefix}/{key}" if prefix else key: Reply(key.encode()) for key in ODD}
    with connected(serving(whole), prefix) as connector:
        entries = connector.poll(None).entries
        read = {each.uri: connector.fetch(each).content for each in entries}
    assert read == {uri_of(key.encode()): key.encode() for key in ODD}
    assert all("\n" not in uri for uri in read)


def test_plain_keys_are_spelt_as_the_others_are() -> None:
    options = S3Options("s3://bucket", endpoint="http://127.0.0.1:1", **KEYS)
    signer = Signer(options, address(options), "bucket")
    for key in ("a.md", "a b/é~+*(x)'!.md", "50%25.md"):
        spelt = f"http://127.0.0.1:1/bucket/{quote(key, safe='/~')}?"
        assert signer.object_url(key.encode()).startswith(spelt)


def test_keys_are_taken_as_they_stand_where_the_server_does_not_encode() -> None:
    def script(request: Request) -> Reply:
        return listing(entry("a+b%20c &amp;.md"), encoded=False)

    with connected(script) as connector:
        assert [each.uri for each in connector.poll(None).entries] == ["a+b%2520c &.md"]


def test_keys_that_no_url_can_name_are_unavailable_and_the_others_are_read() -> None:
    keys = {"../up.md": Reply(b"1"), "a/./b.md": Reply(b"2"), "a/..": Reply(b"3"), "good.md": Reply(b"4")}
    with connected(serving(keys)) as connector:
        entries = {each.uri: each for each in connector.poll(None).entries}
        assert entries.keys() == keys.keys()
        assert connector.fetch(entries.pop("good.md")).content == b"4"
        for each in entries.values():
            with pytest.raises(DocumentUnavailable, match="rename it") as caught:
                connector.fetch(each)
            assert not isinstance(caught.value, DocumentGone)


def test_directory_markers_are_left_out_and_counted() -> None:
    entries = [entry(key, size=0) for key in ("docs%2F", "docs%2Fa%2F", "docs%2Fa%2Fb.md", "docs%2F%2F")]
    with connected(serving({}, *entries), "docs") as connector:
        made = connector.poll(None)
    assert [each.uri for each in made.entries] == ["a/b.md"]
    assert made.skipped == {"directory marker": 3}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"etag": '"1"'}, {"etag": '"1"', "modified": "2025-01-01T00:00:00Z"}, True),
        ({"etag": '"1"'}, {"etag": '"2"'}, False),
        ({"etag": '"1-2"', "size": 5}, {"etag": '"1-2"', "size": 6}, False),
        ({"etag": 'W/"1"'}, {"etag": 'W/"1"', "modified": "2025-01-01T00:00:00Z"}, False),
        ({"etag": ""}, {"etag": "", "modified": "2025-01-01T00:00:00Z"}, False),
        ({"etag": ""}, {"etag": ""}, True),
    ],
)
def test_what_counts_as_a_change(before, after, same) -> None:
    stamps = []
    for said in (before, after):
        with connected(serving({}, entry("a.md", **said))) as connector:
            stamps.append(connector.poll(None).entries[0].stamp)
    assert (stamps[0] == stamps[1]) is same


@pytest.mark.parametrize(
    ("headers", "revision"),
    [
        ({"ETag": '"e"', "x-amz-version-id": "v.1_x"}, "v.1_x"),
        ({"ETag": '"e"', "x-amz-version-id": "null"}, "e"),
        ({"ETag": 'W/"e"'}, "e"),
        ({}, None),
    ],
)
def test_the_revision_is_the_version_or_the_etag(headers, revision) -> None:
    with connected(serving({"a.md": Reply(b"1", headers=headers)})) as connector:
        assert connector.fetch(Entry("a.md", "")).revision == revision


@pytest.mark.parametrize("said", ["", "yesterday", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_a_time_that_is_none_is_none(said: str) -> None:
    with connected(serving({"a.md": Reply(headers={"Last-Modified": said})})) as connector:
        assert connector.fetch(Entry("a.md", "")).modified_at is None


def test_headers_are_read_as_text() -> None:
    headers = {
        "Last-Modified": MODIFIED,
        "Content-Type": "binary/octet-stream",
        "x-amz-meta-Author": "Zoë".encode().decode("latin-1"),
        "x-amz-meta-odd": "a\xffb\x07",
    }
    with connected(serving({"a.md": Reply(b"1", headers=headers)})) as connector:
        fetched = connector.fetch(Entry("a.md", ""))
    assert fetched.modified_at == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    assert fetched.media_type is None
    assert fetched.metadata == {"author": "Zoë", "odd": "a%FFb%07"}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"StorageClass": "GLACIER"}, "GLACIER"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "DEEP_ARCHIVE"),
        ({"AccessTier": "ARCHIVE_ACCESS"}, "ARCHIVE_ACCESS"),
        ({}, "an archive"),
    ],
)
def test_what_is_archived_is_unavailable_and_says_so(said, named) -> None:
    archived = {"old.md": error("InvalidObjectState", 403, **said)}
    with connected(serving(archived)) as connector, pytest.raises(DocumentUnavailable) as caught:
        connector.fetch(connector.poll(None).entries[0])
    assert f"old.md is stored in {named}; restore it" in str(caught.value)
    assert not isinstance(caught.value, DocumentGone)
