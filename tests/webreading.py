"""Fixtures for tests of web pages: a website, and connectors that read it."""

import pytest
from website import Website

from connectors.web import WebConnector, WebOptions


@pytest.fixture
def site():
    """A website on the loopback."""
    with Website() as made:
        yield made


@pytest.fixture
def browse(site, tmp_path):
    """Makes web connectors on paths of the site, without waiting between requests, and closes them."""
    made = []

    def make(*paths: str, sitemap: tuple[str, ...] = (), max_bytes: int = 2**20, **options) -> WebConnector:
        settings = {"allow_private": True, "timeout_s": 5.0, **options}
        urls, maps = (tuple(site.url(path) if path[0] == "/" else path for path in each) for each in (paths, sitemap))
        place = {"workspace": tmp_path / "workspace", "max_bytes": max_bytes, "sleep": lambda seconds: None}
        made.append(WebConnector(WebOptions(urls, maps, **settings), **place))
        return made[-1]

    yield make
    for connector in made:
        connector.close()
