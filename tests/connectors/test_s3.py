"""S3 against a server process on this machine that checks signatures: what is listed, fetched and refused."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import s3_support
from s3_scripted import Reply, Request, scripted

from connectors.protocol import Closeable, Connector
from connectors.uri import uri_of
from kb.errors import DocumentGone, ExtractionError, SourceUnavailable


@pytest.fixture
def bucket():
    return s3_support.server().bucket()


def refusal(connector: Connector) -> str:
    """The one line with which polling is refused, none of it a secret."""
    with pytest.raises(SourceUnavailable) as caught:
        connector.poll(None)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "Signature=" not in str(caught.value)
    return str(caught.value)


def uris(connector: Connector) -> list[str]:
    return [entry.uri for entry in connector.poll(None).entries]


def test_more_than_one_page_is_listed_whole(bucket) -> None:
    for number in range(2500):
        (bucket.directory / f"{number:04}.md").write_bytes(b"1")
    assert uris(bucket.connector()) == [f"{number:04}.md" for number in range(2500)]


def test_a_prefix_is_a_directory(bucket) -> None:
    for key in ("docs/a.md", "docs/b/c.md", "docs-old/a.md", "docs.md"):
        bucket.put(key, b"1")
    assert uris(bucket.connector("docs")) == uris(bucket.connector("docs/")) == ["a.md", "b/c.md"]
    assert uris(bucket.connector("docs/b")) == ["c.md"]
    assert uris(bucket.connector()) == ["docs-old/a.md", "docs.md", "docs/a.md", "docs/b/c.md"]


def test_patterns_select(bucket) -> None:
    for key in ("a.md", "a.pdf", "drafts/b.md"):
        bucket.put(key, b"1")
    assert uris(bucket.connector(include=("*.md",), exclude=("drafts/",))) == ["a.md"]


def test_an_empty_bucket_is_empty_and_a_missing_one_is_not(bucket) -> None:
    assert bucket.connector().poll(None).entries == ()
    assert bucket.connector("nothing/here").poll(None).entries == ()
    shutil.rmtree(bucket.directory)
    assert "404 NoSuchBucket: there is no such bucket; correct `url`" in refusal(bucket.connector())


def test_what_is_fetched_says_what_it_is(bucket) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    bucket.put("a.txt", "é".encode(), Content_Type="text/plain; charset=utf-8")
    connector = bucket.connector()
    (entry,) = connector.poll(None).entries
    fetched = connector.fetch(entry)
    assert fetched.content == "é".encode()
    assert fetched.media_type == "text/plain; charset=utf-8"
    assert fetched.revision == entry.stamp.split()[0]
    assert fetched.modified_at is not None
    assert before <= fetched.modified_at <= before + timedelta(minutes=1)
    assert fetched.access is None


def test_a_type_that_nobody_gave_is_none(bucket) -> None:
    bucket.put("a.md", b"# A", Content_Type="application/octet-stream")
    connector = bucket.connector()
    assert connector.fetch(connector.poll(None).entries[0]).media_type is None


def test_the_words_stored_with_an_object_come_with_it(bucket) -> None:
    bucket.put("a.md", b"1", team="search")
    connector = bucket.connector()
    assert connector.fetch(connector.poll(None).entries[0]).metadata == {"team": "search"}


def test_the_same_bytes_again_are_no_change(bucket) -> None:
    bucket.put("a.md", b"1")
    before = bucket.connector().poll(None).entries
    bucket.put("a.md", b"1")
    assert bucket.connector().poll(None).entries == before
    bucket.put("a.md", b"2")
    assert bucket.connector().poll(None).entries != before


def test_what_changed_since_the_listing_is_served_with_its_own_revision(bucket) -> None:
    bucket.put("a.md", b"old")
    connector = bucket.connector()
    (listed,) = connector.poll(None).entries
    bucket.put("a.md", b"new!")
    fetched = connector.fetch(listed)
    (now,) = connector.poll(None).entries
    assert (fetched.content, fetched.revision) == (b"new!", now.stamp.split()[0])
    assert now.stamp != listed.stamp


def test_too_large_a_document_is_refused_by_size(bucket) -> None:
    bucket.put("fits.md", b"x" * 1000)
    bucket.put("large.md", b"x" * 1001)
    connector = bucket.connector(max_bytes=1000)
    fits, large = connector.poll(None).entries
    assert len(connector.fetch(fits).content) == 1000
    with pytest.raises(ExtractionError, match=r"large\.md has more than the 1,000 bytes") as caught:
        connector.fetch(large)
    assert caught.value.reason == "too large"


def test_what_was_stored_compressed_is_read_as_what_it_is(bucket) -> None:
    bucket.put("a.md", gzip.compress(b"plain"), Content_Encoding="gzip")
    bucket.put("bomb.md", gzip.compress(b"x" * 10**7), Content_Encoding="gzip")
    bucket.put("broken.md", b"not gzip", Content_Encoding="gzip")
    connector = bucket.connector()
    entries = {entry.uri: entry for entry in connector.poll(None).entries}
    assert connector.fetch(entries["a.md"]).content == b"plain"
    with pytest.raises(ExtractionError, match="more than"):
        connector.fetch(entries["bomb.md"])
    with pytest.raises(Exception, match=r"broken\.md .* not encoded as its Content-Encoding says"):
        connector.fetch(entries["broken.md"])


def test_a_document_that_went_is_gone_and_a_bucket_that_went_is_unavailable(bucket) -> None:
    bucket.put("a.md", b"1")
    connector = bucket.connector()
    (entry,) = connector.poll(None).entries
    bucket.delete("a.md")
    with pytest.raises(DocumentGone, match=r"a\.md is no longer in bucket"):
        connector.fetch(entry)
    shutil.rmtree(bucket.directory)
    with pytest.raises(SourceUnavailable, match="NoSuchBucket"):
        connector.fetch(entry)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"secret_access_key": "wrong"},
            "403 SignatureDoesNotMatch: the credentials are wrong; correct `secret_access_key`",
        ),
        ({"access_key_id": "nobody"}, "403 InvalidAccessKeyId: `access_key_id` is not known there; correct it"),
        ({"endpoint": "http://127.0.0.1:1"}, "the server cannot be reached; check the network and `endpoint`"),
        (
            {"endpoint": "http://nowhere.invalid"},
            "the server's name cannot be resolved; check the network and `endpoint`",
        ),
        ({"endpoint": "http://999.1.1.1"}, "no request can be signed for this address; correct `endpoint`"),
        (
            {"anonymous": True, "access_key_id": None, "secret_access_key": None},
            "not open to everybody; give access_key_id and secret_access_key in place of `anonymous`",
        ),
    ],
)
def test_what_is_wrong_is_named_with_the_option_to_mend(bucket, wrong: dict[str, object], words: str) -> None:
    assert words in refusal(bucket.connector(**wrong))


def test_tls_is_not_given_up_where_the_server_has_none(bucket) -> None:
    endpoint = bucket.server.url.replace("http:", "https:")
    assert "certificate is not to be trusted, or it does not speak TLS" in refusal(bucket.connector(endpoint=endpoint))


def test_a_connector_may_be_used_after_it_was_closed(bucket) -> None:
    bucket.put("a.md", b"1")
    connector = bucket.connector()
    assert isinstance(connector, Closeable)
    connector.close()
    (entry,) = connector.poll(None).entries
    connector.close()
    assert connector.fetch(entry).content == b"1"
    connector.close()


POLL = """
import sys
from pathlib import Path
from connectors.s3 import S3Connector, S3Options
from kb.errors import SourceUnavailable

try:
    options = S3Options(sys.argv[1], endpoint=sys.argv[2], timeout_s=2)
    print(*(entry.uri for entry in S3Connector(options, workspace=Path("/nowhere")).poll(None).entries))
except SourceUnavailable as error:
    print(error)
"""


def poll_with(bucket, **environment: str) -> str:
    """What a process with no other AWS variables than these says of the bucket."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    run = subprocess.run(
        (sys.executable, "-c", POLL, f"s3://{bucket.name}", bucket.server.url),
        env=inherited | environment,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip()


def test_credentials_come_from_the_environment_and_nothing_else_does(bucket) -> None:
    bucket.put("a.md", b"1")
    keys = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "s3cret-of-reader"}
    elsewhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_BUCKET": "another",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_S3_EXPRESS": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_REQUEST_PAYER": "requester",
    }
    assert poll_with(bucket, **keys) == "a.md"
    assert poll_with(bucket, **keys, **elsewhere) == "a.md"
    wrong = keys | {"AWS_SECRET_ACCESS_KEY": "another"}
    assert "403 SignatureDoesNotMatch" in poll_with(bucket, **wrong)


def test_without_any_credentials_it_says_which_to_give(bucket) -> None:
    said = poll_with(bucket, AWS_METADATA_ENDPOINT="http://127.0.0.1:1")
    assert said.endswith(
        "no credentials were found on this machine; give access_key_id and secret_access_key, or anonymous=true"
    )


def test_credentials_come_from_the_instance(bucket) -> None:
    bucket.put("a.md", b"1")
    granted = {
        "AccessKeyId": s3_support.KEYS["access_key_id"],
        "SecretAccessKey": s3_support.KEYS["secret_access_key"],
        "Token": "role/a+b==",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    said = {b"api/token": b"token", b"security-credentials/": b"role", b"security-credentials/role": granted}

    def script(request: Request) -> Reply:
        words = next(words for end, words in said.items() if request.path.endswith(end))
        return Reply(words if isinstance(words, bytes) else json.dumps(words).encode())

    with scripted(script) as (url, requests):
        assert poll_with(bucket, AWS_METADATA_ENDPOINT=url) == "a.md"
        assert requests


def test_the_environment_does_not_mix_with_keys_that_are_given(bucket, monkeypatch) -> None:
    bucket.put("a.md", b"1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    assert uris(bucket.connector()) == ["a.md"]


def test_names_in_many_scripts(bucket) -> None:
    keys = ["документ.md", "文書/日本語 の.md", "emoji 🌍.md", "plus+and&=~'()*!.md", "#hash?query.md"]
    for key in keys:
        bucket.put(key, key.encode())
    connector = bucket.connector()
    read = {entry.uri: connector.fetch(entry).content for entry in connector.poll(None).entries}
    assert read == {uri_of(key.encode()): key.encode() for key in keys}
