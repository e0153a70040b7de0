"""What a web source may be told, and what it refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import options
from connectors.web import WebConnector, WebOptions
from connectors.web.urls import joined, normal
from kb.errors import ConfigError

BASE = Path("/srv/base")


def parse(**given: object) -> WebOptions:
    return options.parse("web", WebOptions, given, BASE)


def test_defaults_are_gentle() -> None:
    found = parse(urls="https://docs.example/")
    assert (found.depth, found.rate, found.max_pages, found.allow_private) == (0, 4.0, 10_000, False)
    assert options.canonical(found) == {"urls": ["https://docs.example/"]}


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ("https://a/x,y", ("https://a/x,y",)),
        ("https://a/,https://b/", ("https://a/", "https://b/")),
        ("  https://a/ , http://b/\n\nhttps://a/ ", ("https://a/", "http://b/")),
        (["https://a/", "https://b/"], ("https://a/", "https://b/")),
        ("https://u:${PASSWORD}@a/, ${MORE}", ("https://u:${PASSWORD}@a/", "${MORE}")),
    ],
)
def test_lists_of_urls(given: object, urls: tuple[str, ...]) -> None:
    assert parse(urls=given).urls == urls
    assert parse(sitemap=given).sitemap == urls


def test_what_is_kept_can_be_parsed_again() -> None:
    given = {"urls": "https://a/d/", "sitemap": "${MAP}", "depth": "2", "rate": "0.5", "allow_private": "yes"}
    more = {"timeout_s": 3, "max_pages": "${PAGES}", "authorization": "Bearer ${TOKEN}", "include": "*.html, /d/"}
    kept = options.canonical(parse(**given, **more))
    assert kept["depth"] == 2
    assert kept["authorization"] == "Bearer ${TOKEN}"
    assert options.canonical(parse(**kept)) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "nothing to read: give urls=… or sitemap=…"),
        ({"urls": ""}, "nothing to read"),
        ({"urls": "docs.example/a"}, "must be URLs that begin with http:// or https://"),
        ({"urls": "file:///etc/passwd"}, "must be URLs"),
        ({"urls": "http://"}, "must be URLs"),
        ({"urls": "http://user:s3cret@[x/"}, "must be URLs"),
        ({"urls": [7]}, "must be URLs: a list"),
        ({"urls": "https://a/\x00"}, "control characters"),
        ({"depth": "-1"}, "`depth` cannot be '-1'; it is a whole number from 0 on"),
        ({"depth": True}, "`depth` cannot be True"),
        ({"depth": "1.5"}, "`depth` cannot be"),
        ({"rate": "0"}, "`rate` cannot be '0'; it is a number between"),
        ({"rate": "nan"}, "`rate` cannot be"),
        ({"timeout_s": "inf"}, "`timeout_s` cannot be"),
        ({"allow_private": "maybe"}, "`allow_private` cannot be 'maybe'; it is true or false"),
        ({"url": "https://a/"}, "did you mean `urls`"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError, match="web source: ") as caught:
        parse(**({} if "urls" in given or not given else {"urls": "https://a/"}), **given)
    assert reason in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_building_touches_nothing(tmp_path: Path) -> None:
    WebConnector(parse(urls="https://docs.example/"), workspace=tmp_path / "workspace").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTP://EXÄMPLE.com:80/a/../b c#f", "http://xn--exmple-cua.com/b%20c"),
        ("https://h:443", "https://h/"),
        ("http://u:p@h:8080/%7ea%2fb%e9?q=%7E", "http://h:8080/~a%2Fb%E9?q=~"),
        ("http://h/?b=2&a=1&flag", "http://h/?b=2&a=1&flag"),
        ("http://h:0/", None),
        ("http://h:99999/", None),
        ("ftp://h/", None),
        ("//h/", None),
    ],
)
def test_a_url_has_one_spelling(text: str, url: str | None) -> None:
    assert normal(text) == url


@given(st.text(max_size=40), st.sampled_from(["http://h/d/e?x", "https://h:8443/"]))
def test_whatever_a_link_says_it_has_one_spelling_or_none(link: str, base: str) -> None:
    url = joined(base, link)
    assert url is None or (normal(url) == url and url.isascii() and url.isprintable() and " " not in url)
