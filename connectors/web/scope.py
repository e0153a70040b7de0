"""Which URLs a source takes in, and which it only passes through."""

from dataclasses import dataclass

from connectors.patterns import Selection
from connectors.web.urls import name


@dataclass(frozen=True, slots=True)
class Scope:
    """`prefixes` are what crawled pages lie in, one for each place that the source begins at."""

    selection: Selection
    prefixes: frozenset[str]
    listed: frozenset[str]
    """What the source names itself, by `urls` or a sitemap: it counts wherever it lies."""

    def selects(self, url: str) -> bool:
        return self.selection.selects(name(url))

    def shuns(self, url: str) -> bool:
        """Whether the URL is not even asked for."""
        return self.selection.exclude is not None and self.selection.exclude.match_file(name(url)) is True

    def holds(self, url: str) -> bool:
        return url.startswith(tuple(self.prefixes))

    def lands(self, asked: str, url: str) -> bool:
        """Whether what was asked for may have been found at the URL."""
        return asked in self.listed or self.holds(url)
