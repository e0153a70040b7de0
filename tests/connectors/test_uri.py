"""URIs: every path has one, no two share one, and any can be printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.uri import escaped, path_of, uri_of

PATHS = st.one_of(
    st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace")), st.from_regex(rb"(%[0-9a-fF]|%|\xff|a)*")
)


@given(PATHS)
def test_a_path_comes_back_from_its_uri(path: bytes) -> None:
    assert path_of(uri_of(path)) == path


@given(PATHS)
def test_a_uri_is_one_line_of_utf8(path: bytes) -> None:
    uri = uri_of(path)
    uri.encode("utf-8")
    assert not any(character < " " or character == "\x7f" for character in uri)


@given(PATHS, PATHS)
def test_different_paths_have_different_uris(one: bytes, other: bytes) -> None:
    assert (uri_of(one) == uri_of(other)) == (one == other)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (b"a b/c'd\".md", "a b/c'd\".md"),
        (b"100%.md", "100%.md"),
        (b"100%25.md", "100%2525.md"),
        (b"caf\xe9.md", "caf%E9.md"),
        ("café.md".encode(), "café.md"),
        ("cafe\u0301.md".encode(), "cafe\u0301.md"),
        (b"two\nlines\x1b[31m", "two%0Alines%1B[31m"),
        (b"%\xff", "%%FF"),
    ],
)
def test_how_paths_are_written(path: bytes, uri: str) -> None:
    assert uri_of(path) == uri
    assert escaped(path.decode("utf-8", "surrogateescape")) == uri
