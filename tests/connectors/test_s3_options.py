"""What an S3 source may be told, and where that leads."""

from pathlib import Path

import pytest

from connectors import options
from connectors.s3 import S3Options
from connectors.s3.address import address
from kb.errors import ConfigError

URL = "s3://bucket/docs"


def parsed(**given: object) -> S3Options:
    return options.parse("s3", S3Options, {"url": URL, **given}, Path("/srv"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": None}, "`url` is missing"),
        ({"url": "bucket/docs"}, "`url` must be s3://BUCKET"),
        ({"url": "s3:///docs"}, "`url` must be"),
        ({"url": "s3://user:pw@bucket/docs"}, "`url` must be"),
        ({"url": "https://bucket.s3.amazonaws.com"}, "`url` must be"),
        ({"url": "s3://bucket/a\nb"}, "`url` must be valid UTF-8 without control characters"),
        ({"url": "s3://a/../b"}, "`url` must be"),
        ({"endpoint": "minio.example.org:9000"}, "`endpoint` must be a server's URL with https://"),
        ({"endpoint": "ftp://minio.example.org"}, "`endpoint` must be a server's URL"),
        ({"endpoint": "https://"}, "`endpoint` must be a server's URL"),
        ({"endpoint": "https://a..b"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://ex ample.org"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://example.org/a/../b//c"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://example.org:0"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://me:s3cret@minio.example.org"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://minio.example.org?key=s3cret"}, "`endpoint` must be a plain URL"),
        ({"endpoint": "https://minio.example.org:99999"}, "`endpoint`"),
        ({"endpoint": "https://[::1"}, "`endpoint`"),
        ({"region": "eu west"}, "`region` must be a region's name"),
        ({"region": "x/../../.evil"}, "`region` must be"),
        ({"access_key_id": "a"}, "belong together"),
        ({"secret_access_key": "s3cret"}, "belong together"),
        ({"session_token": "s3cret"}, "`session_token` needs"),
        ({"anonymous": "true", "access_key_id": "a", "secret_access_key": "s3cret"}, "exclude each other"),
        ({"anonymous": "perhaps"}, "`anonymous` must be true or false"),
        ({"path_style": 1}, "`path_style` must be true or false"),
        ({"timeout_s": "0"}, "`timeout_s` must be whole seconds"),
        ({"timeout_s": "1.5"}, "`timeout_s` must be"),
        ({"timeout_s": True}, "`timeout_s` must be"),
        ({"timeout_s": "²"}, "`timeout_s` must be"),
        ({"keys": "a"}, "unknown key `keys`"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(**given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_options_are_stored_in_one_form() -> None:
    given = {
        "endpoint": "http://127.0.0.1:9000/",
        "access_key_id": "a",
        "secret_access_key": "b",
        "anonymous": "no",
        "path_style": "YES",
        "timeout_s": " 7 ",
        "include": "*.md",
    }
    stored = options.canonical(parsed(**given))
    assert stored == {
        "url": URL,
        "endpoint": "http://127.0.0.1:9000",
        "include": ["*.md"],
        "access_key_id": "a",
        "secret_access_key": "b",
        "path_style": True,
        "timeout_s": 7,
    }
    assert options.canonical(parsed(**stored)) == stored


def test_variables_stay_until_they_are_expanded() -> None:
    given: dict[str, object] = {
        "url": "s3://${BUCKET}/docs",
        "endpoint": "${SCHEME}://minio",
        "region": "${REGION}",
        "access_key_id": "${ID}",
        "secret_access_key": "${SECRET}",
        "session_token": "${TOKEN}",
        "anonymous": "${ANYBODY}",
        "path_style": "${STYLE}",
        "timeout_s": "${PATIENCE}",
    }
    assert options.canonical(parsed(**given)) == given


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ({}, "https://bucket.s3.us-east-1.amazonaws.com"),
        ({"region": "cn-north-1"}, "https://bucket.s3.cn-north-1.amazonaws.com.cn"),
        ({"path_style": "true"}, "https://s3.us-east-1.amazonaws.com/bucket"),
        ({"url": "s3://with.dots"}, "https://s3.us-east-1.amazonaws.com/with.dots"),
        ({"endpoint": "https://minio.example.org:9000"}, "https://minio.example.org:9000/bucket"),
        ({"endpoint": "https://example.org/s3/"}, "https://example.org/s3/bucket"),
        ({"endpoint": "https://example.org", "path_style": "false"}, "https://bucket.example.org"),
    ],
)
def test_where_the_bucket_is(given: dict[str, object], root: str) -> None:
    assert address(parsed(**given)).root == root


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("s3://bkt", ""),
        ("s3://bkt/", ""),
        ("s3://bkt/docs", "docs/"),
        ("s3://bkt/docs/", "docs/"),
        ("s3://bkt//docs//", "/docs//"),
        ("s3://bkt/my docs?#%20", "my docs?#%20/"),
    ],
)
def test_a_prefix_is_taken_as_it_is_spelt(url: str, prefix: str) -> None:
    assert parsed(url=url).prefix == prefix
