"""The walk: every page that the source lists, and what lies so many links away from those."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from connectors.web.outcome import Page, Visit, trouble_of
from connectors.web.scope import Scope
from connectors.web.urls import directory, host, origin
from connectors.web.visit import Visitor
from kb.errors import SourceUnavailable

_IN_A_ROW = 10
"""So many troubles one after the other are the host's own, not its pages'."""


class Crawl:
    """`visits` are by the URL that was asked for, in order; `scope` is known wholly once `run` is done."""

    def __init__(self, visitor: Visitor, scope: Scope, depth: int, max_pages: int) -> None:
        self.visits: dict[str, Visit] = {}
        self.scope = scope
        self._visitor = visitor
        self._depth = depth
        self._max_pages = max_pages
        self._in_a_row: Counter[str] = Counter()

    def run(self, starts: Sequence[str]) -> None:
        """`starts` are the URLs whose directories are crawled. Raises SourceUnavailable for too much trouble."""
        level = self._visit([*starts, *sorted(self.scope.listed)], 0)
        places = frozenset(directory(self.visits[url].url) for url in starts if url in self.visits)
        self.scope = replace(self.scope, prefixes=self.scope.prefixes | places)
        level += self._canonicals(level, 0)
        for far in range(1, self._depth + 1):
            level = self._visit(self._within(link for page in level for link in page.markup.links), far)
            level += self._canonicals(level, far)
        self._require_success()

    def _canonicals(self, pages: Iterable[Page], far: int) -> list[Page]:
        """The pages that others call by their own name, visited: a name alone does not make a page."""
        found: list[Page] = []
        while pages:
            named = [page.markup.canonical for page in pages if page.markup.canonical]
            pages = self._visit(self._within(named), far)
            found += pages
        return found

    def _within(self, urls: Iterable[str]) -> list[str]:
        return [url for url in urls if self.scope.holds(url)]

    def _visit(self, urls: Iterable[str], far: int) -> list[Page]:
        """The pages at those URLs that were not yet visited and are needed: as documents, or for their links."""
        pages = []
        for url in urls:
            if url in self.visits or self.scope.shuns(url) or not (far < self._depth or self.scope.selects(url)):
                continue
            if len(self.visits) == self._max_pages:
                raise SourceUnavailable(
                    f"there are more than {self._max_pages} pages; raise max_pages, or narrow the source by `exclude`"
                )
            visit = self.visits[url] = self._visitor.visit(url)
            self._watch(url, visit)
            if isinstance(visit, Page):
                pages.append(visit)
        return pages

    def _watch(self, url: str, visit: Visit) -> None:
        trouble = trouble_of(visit)
        self._in_a_row[host(url)] = self._in_a_row[host(url)] + 1 if trouble else 0
        if trouble and self._in_a_row[host(url)] == _IN_A_ROW:
            raise SourceUnavailable(
                f"{_IN_A_ROW} pages of {origin(url)} in a row cannot be read; try again, "
                f"or leave them out by `exclude`; the last: {trouble}"
            ) from trouble

    def _require_success(self) -> None:
        troubles = [trouble_of(visit) for visit in self.visits.values()]
        if troubles and all(troubles):
            raise SourceUnavailable(f"no page can be read; the first: {troubles[0]}") from troubles[0]
