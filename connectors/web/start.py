"""Where a source begins: its options' URLs in one spelling, and the credentials that were written into them."""

import base64
from dataclasses import dataclass

import httpx

from connectors.web.options import WebOptions
from connectors.web.urls import normal, origin
from kb.digest import digest
from kb.errors import SourceUnavailable


@dataclass(frozen=True, slots=True)
class Start:
    """`credentials` are `Authorization` headers by origin: those that the options name, and no others."""

    urls: tuple[str, ...]
    sitemaps: tuple[str, ...]
    credentials: dict[str, str]
    digest: str
    """Of what decides which pages there are; credentials are no part of it."""


def begin(options: WebOptions) -> Start:
    """Raises SourceUnavailable for what is no web address."""
    urls = tuple(_normal(text) for text in options.urls)
    sitemaps = tuple(_normal(text) for text in options.sitemap)
    credentials: dict[str, str] = {}
    for text in (*options.urls, *options.sitemap):
        if secret := _secret(text) or options.authorization:
            credentials[origin(_normal(text))] = secret
    patterns = (list(options.include), list(options.exclude))
    identity = digest("web", sorted(urls), sorted(sitemaps), options.depth, *patterns)
    return Start(urls, sitemaps, credentials, identity)


def _normal(text: str) -> str:
    url = normal(text)
    if url is None:
        # Not repeated here: it may hold a password.
        raise SourceUnavailable("one of the source's urls or sitemaps is not a web address; correct it")
    return url


def _secret(text: str) -> str | None:
    """The user and password in a URL, as a header."""
    parts = httpx.URL(text)
    if not parts.userinfo:
        return None
    return "Basic " + base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode("ascii")
