"""The connector for web pages: those that are listed, and those that a crawl within a prefix finds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from connectors import patterns
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from connectors.uri import escaped
from connectors.web.options import WebOptions
from kb.errors import DocumentGone, DocumentUnavailable, KBError

if TYPE_CHECKING:
    from connectors.web.cache import Cache, Kept
    from connectors.web.crawl import Crawl
    from connectors.web.start import Start
    from connectors.web.visit import Visitor
    from connectors.web.wire import Wire


class WebConnector:
    """URIs are the pages' canonical URLs; stamps are digests of what was read. Every poll asks for every page anew,
    with what is known of it, so that an unchanged page costs an answer without a body."""

    options_type: ClassVar[type[WebOptions]] = WebOptions

    def __init__(
        self,
        options: WebOptions,
        *,
        workspace: Path,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._workspace = workspace
        self._max_bytes = max_bytes
        self._clock = clock
        self._sleep = sleep
        self._selection = patterns.select(options.include, options.exclude)
        self._visitor: Visitor | None = None
        self._stamps: dict[str, str] = {}
        self._errors: dict[str, KBError] = {}

    def poll(self, checkpoint: str | None) -> Listing:
        """The pages as they are now; nothing counts as gone but for certain while an unknown page is in trouble.

        Raises SourceUnavailable where a robots.txt or a sitemap cannot be read, or too many pages cannot.
        """
        from connectors.web.listing import UNREAD, assemble

        self._visitor = self._new_visitor()
        crawl = self._crawled(self._visitor)
        listed = assemble(crawl.visits, crawl.scope)
        self._errors = dict(listed.errors)
        self._stamps = {entry.uri: entry.stamp for entry in listed.listing.entries if entry.stamp != UNREAD}
        if listed.listing.removed is None:
            self._cache.prune(self._visitor.touched)
        return listed.listing

    def fetch(self, entry: Entry) -> Fetched:
        """The page that the poll has read, or asked for anew. `modified_at` is what the server says."""
        if error := self._errors.get(entry.uri):
            raise error
        kept = self._cache.page(entry.uri) if entry.uri in self._stamps else None
        if kept is None or kept.facts.sha256 != self._stamps[entry.uri]:
            kept = self._asked(entry.uri)
        facts = kept.facts
        modified_at = _moment(facts.modified)
        return Fetched(kept.body, facts.media_type, modified_at=modified_at, stamp=facts.sha256, boilerplate=True)

    def close(self) -> None:
        """Ends the connections; the connector may still be used."""
        if "_wire" in self.__dict__:
            self._wire.close()

    @cached_property
    def _wire(self) -> "Wire":
        from connectors.web.connection import is_public
        from connectors.web.wire import Wire

        permits = (lambda address: True) if self._options.allow_private else is_public
        return Wire(self._options.timeout_s, permits, self._clock)

    @cached_property
    def _cache(self) -> "Cache":
        from connectors.web.cache import Cache

        return Cache(self._workspace / "web" / self._start.digest[:32], self._max_bytes)

    @cached_property
    def _start(self) -> "Start":
        from connectors.web.start import begin

        return begin(self._options)

    def _new_visitor(self) -> "Visitor":
        from connectors.web.pace import Pace
        from connectors.web.visit import Visitor

        pace = Pace(self._options.rate, self._clock, self._sleep)
        return Visitor(self._wire, self._cache, pace, self._start.credentials, self._max_bytes)

    def _crawled(self, visitor: "Visitor") -> "Crawl":
        from connectors.web import sitemap
        from connectors.web.crawl import Crawl
        from connectors.web.scope import Scope
        from connectors.web.urls import directory

        start = self._start
        listed = (url for each in start.sitemaps for url in sitemap.pages(visitor.listing, each))
        places = frozenset(directory(each) for each in start.sitemaps)
        scope = Scope(self._selection, places, frozenset((*start.urls, *listed)))
        crawl = Crawl(visitor, scope, self._options.depth, self._options.max_pages)
        crawl.run(start.urls)
        return crawl

    def _asked(self, uri: str) -> "Kept":
        """What the page holds now. Raises DocumentGone, DocumentUnavailable, ExtractionError, SourceUnavailable."""
        from connectors.web.outcome import Absent, error_of
        from connectors.web.urls import normal, shown

        if normal(uri) != uri:
            raise DocumentUnavailable(f"{escaped(uri)!r} is not the address of a web page")
        self._visitor = self._visitor or self._new_visitor()
        visit = self._visitor.revisit(uri)
        if error := error_of(visit):
            raise error
        if isinstance(visit, Absent) and visit.why == "robots":
            raise DocumentUnavailable(f"{shown(uri)} may not be read: its site's robots.txt forbids it")
        if isinstance(visit, Absent) or visit.url != uri:
            raise DocumentGone(f"{shown(uri)} is no longer there" if visit.url == uri else f"{shown(uri)} has moved")
        kept = self._cache.page(uri)
        if kept is None:
            raise DocumentUnavailable(f"{shown(uri)} was lost on its way; it is tried again at the next sync")
        return kept


def _moment(modified: str | None) -> datetime | None:
    """None for what is no time."""
    try:
        moment = parsedate_to_datetime(modified or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
