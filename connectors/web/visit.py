"""Visiting pages: politely, each once, through redirects and robots.txt, with what is known from the last time."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from connectors.web import markup
from connectors.web.cache import Cache, Facts, Kept
from connectors.web.markup import Markup
from connectors.web.outcome import Absent, Failure, Page, Visit, error_of
from connectors.web.pace import Pace
from connectors.web.robots import Robots
from connectors.web.urls import host, joined, origin, shown
from connectors.web.wire import Answer, Wire
from kb.digest import sha256_bytes
from kb.errors import DocumentUnavailable, ExtractionError, SourceUnavailable

_REDIRECTS = 10
_ROBOTS_BYTES = 2**20
_SETTLED_S = 2
"""An edit this soon after another may hide behind the same time, which is told in seconds."""

_ADDRESSED = re.compile(r"\s*([\w-]+)\s*:(.*)", re.DOTALL)


class Visitor:
    """Asks for each URL once, politely; `credentials` are `Authorization` headers by origin and go nowhere else."""

    def __init__(self, wire: Wire, cache: Cache, pace: Pace, credentials: Mapping[str, str], max_bytes: int) -> None:
        self._wire = wire
        self._cache = cache
        self._pace = pace
        self._credentials = credentials
        self._max_bytes = max_bytes
        self._robots = Robots(lambda url: self._ask(url, {}, 0.0, _ROBOTS_BYTES))
        self._visits: dict[str, Visit] = {}
        self.touched: set[str] = set()
        """All URLs that were asked for or of which something known was used."""

    def visit(self, url: str) -> Visit:
        """Raises SourceUnavailable where the robots.txt of the URL's own site cannot be read."""
        return self._visit(url, 0)

    def revisit(self, url: str) -> Visit:
        """As `visit`, but asks again. Raises SourceUnavailable, too."""
        self._visits.pop(url, None)
        return self._visit(url, 0)

    def listing(self, url: str) -> bytes:
        """A sitemap, which robots.txt does not speak of. Raises SourceUnavailable."""
        try:
            visit = self._read(url, 0, 0.0)
        except (DocumentUnavailable, ExtractionError) as error:
            raise SourceUnavailable(str(error)) from error
        if reason := error_of(visit):
            raise SourceUnavailable(str(reason)) from reason
        kept = self._cache.page(visit.url)
        if kept is None:
            raise SourceUnavailable(f"{shown(url)} is not there; correct the source's sitemap")
        return kept.body

    def _visit(self, url: str, hops: int) -> Visit:
        if url not in self._visits:
            self._visits[url] = self._allowed(url, hops)
        return self._visits[url]

    def _allowed(self, url: str, hops: int) -> Visit:
        try:
            if not self._robots.allows(url):
                return Absent(url, "robots")
            delay_s = self._robots.delay_s(url)
        except (DocumentUnavailable, ExtractionError) as error:
            if not hops:
                raise SourceUnavailable(str(error)) from error
            return self._last_known(url, DocumentUnavailable(str(error)))
        try:
            return self._read(url, hops, delay_s)
        except (DocumentUnavailable, ExtractionError) as error:
            return self._last_known(url, error)

    def _read(self, url: str, hops: int, delay_s: float) -> Visit:
        self.touched.add(url)
        kept = self._cache.page(url)
        validators = kept.facts.validators() if kept else {}
        answer = self._ask(url, validators, delay_s, self._max_bytes)
        if answer.status in (301, 302, 303, 307, 308):
            return self._redirected(url, answer, hops)
        if answer.status in (404, 410):
            self._cache.forget(url)
            return Absent(url, "gone")
        if answer.status == 304 and kept and validators:
            return Page(url, kept.facts, _markup(url, kept))
        if answer.status != 200:
            raise DocumentUnavailable(f"{shown(url)} answers {answer.status}{_remedy(answer.status)}")
        return self._kept(url, Kept(_facts(answer), answer.body))

    def _kept(self, url: str, kept: Kept) -> Page:
        if len(kept.body) > markup.LIMIT_BYTES and markup.is_html(kept.facts.media_type, kept.body):
            raise ExtractionError("too large", f"{shown(url)} has {len(kept.body):,} bytes, too many for an HTML page")
        page = Page(url, kept.facts, _markup(url, kept))
        self._cache.keep(url, kept.facts, kept.body)
        return page

    def _redirected(self, url: str, answer: Answer, hops: int) -> Visit:
        target = joined(url, answer.headers.get("location", ""))
        if target is None or not answer.headers.get("location"):
            raise DocumentUnavailable(f"{shown(url)} redirects to what is no web address")
        if hops == _REDIRECTS or target == url:
            raise DocumentUnavailable(f"{shown(url)} is redirected without end")
        visit = self._visit(target, hops + 1)
        if isinstance(visit, Failure) and isinstance(visit.error, DocumentUnavailable):
            # Where a site sends its visitors while it is mended is no page's new place.
            return self._last_known(url, visit.error)
        if isinstance(visit, Page):
            self._cache.keep_target(url, target)
        return visit

    def _ask(self, url: str, headers: Mapping[str, str], delay_s: float, max_bytes: int) -> Answer:
        self._pace.wait(host(url), delay_s)
        secret = self._credentials.get(origin(url))
        return self._wire.get(url, {**headers, "Authorization": secret} if secret else headers, max_bytes)

    def _last_known(self, url: str, error: DocumentUnavailable | ExtractionError) -> Visit:
        at = url
        for _ in range(_REDIRECTS + 1):
            self.touched.add(at)
            if kept := self._cache.page(at):
                return Page(at, kept.facts, _markup(at, kept), error)
            at = self._cache.target(at) or ""
        return Failure(url, error)


def _markup(url: str, kept: Kept) -> Markup:
    return markup.read(kept.body, kept.facts.media_type, url, kept.facts.directives)


def _facts(answer: Answer) -> Facts:
    headers = answer.headers
    modified = headers.get("last-modified")
    proof = modified is None or _settled(modified, headers.get("date", ""))
    return Facts(
        sha256=sha256_bytes(answer.body),
        media_type=headers.get("content-type"),
        modified=modified,
        etag=headers.get("etag", "") if proof else "",
        since=(modified or "") if proof else "",
        directives=tuple(word for value in headers.get_list("x-robots-tag") for word in _directives(value)),
    )


def _settled(modified: str, now: str) -> bool:
    """Whether the page was last modified long enough before it was sent."""
    try:
        return (parsedate_to_datetime(now) - parsedate_to_datetime(modified)).total_seconds() >= _SETTLED_S
    except (ValueError, TypeError):
        return False


def _directives(value: str) -> list[str]:
    """Those for all robots or for this one: `otherbot: noindex` is for others."""
    addressed = _ADDRESSED.fullmatch(value)
    if addressed is None:
        return markup.words(value)
    return markup.words(addressed[2]) if addressed[1].lower() == "palimpsest" else []


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "; give the source an authorization, or leave the page out by `exclude`"
    return "; lower the source's rate" if status == 429 else ""
