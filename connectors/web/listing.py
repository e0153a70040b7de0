"""From visits to a listing: which pages are documents, under which names, and what counts as gone. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.protocol import Entry, Listing
from connectors.web.outcome import Absent, Failure, Page, Visit, error_of, trouble_of
from connectors.web.scope import Scope
from connectors.web.urls import origin
from kb.digest import sha256_text
from kb.errors import KBError

UNREAD = "unread"
"""The stamp of a page that could not be read: no other equals it, so that it is fetched, and its error told."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing, and the errors of those of its entries that could not be read, by URI."""

    listing: Listing
    errors: Mapping[str, KBError]


def assemble(visits: Mapping[str, Visit], scope: Scope) -> Listed:
    """A complete listing, unless a page is in trouble of which nothing is known.

    Such a page may have led to others. So only what was asked for and is certainly no document counts as gone then.
    """
    pages = _pages(visits, scope)
    selected = {url: page for url, page in pages.items() if page.markup.indexable and scope.selects(url)}
    failures = _failures(visits, scope)
    stamps = {url: _stamp(page) for url, page in selected.items() if _name(url, selected, visits) == url}
    stamps |= {failure.url: _stamp(failure) for failure in failures}
    unknown = any(isinstance(visit, Failure) and trouble_of(visit) for visit in visits.values())
    listing = Listing(
        tuple(Entry(url, stamps[url]) for url in sorted(stamps)),
        checkpoint="",
        removed=frozenset({*visits, *pages} - stamps.keys()) if unknown else None,
        skipped=_skipped(visits, pages, scope),
    )
    fetched: list[Visit] = [*failures, *selected.values()]
    errors = {visit.url: error for visit in fetched if (error := error_of(visit))}
    return Listed(listing, errors)


def _pages(visits: Mapping[str, Visit], scope: Scope) -> dict[str, Page]:
    """The pages by their own URLs; one that was read goes before what is known of it."""
    found: dict[str, Page] = {}
    for asked, visit in visits.items():
        if isinstance(visit, Page) and scope.lands(asked, visit.url) and (visit.url not in found or not visit.trouble):
            found[visit.url] = visit
    return found


def _failures(visits: Mapping[str, Visit], scope: Scope) -> list[Failure]:
    return [
        visit
        for asked, visit in visits.items()
        if isinstance(visit, Failure) and scope.lands(asked, visit.url) and scope.selects(visit.url)
    ]


def _name(url: str, selected: Mapping[str, Page], visits: Mapping[str, Visit]) -> str:
    """The URL of the document that a page belongs to: where its canonical links lead, as far as they lead to documents.

    Of pages that point at each other in a circle the first by name is the document.
    """
    way = [url]
    while (after := _canonical(way[-1], selected, visits)) is not None:
        if after in way:
            return min(way[way.index(after) :])
        way.append(after)
    return way[-1]


def _canonical(url: str, selected: Mapping[str, Page], visits: Mapping[str, Visit]) -> str | None:
    canonical = selected[url].markup.canonical
    visit = visits.get(canonical) if canonical and origin(canonical) == origin(url) else None
    return visit.url if visit and visit.url in selected and visit.url != url else None


def _stamp(visit: Page | Failure) -> str:
    if trouble_of(visit):
        return UNREAD
    # What is too large stays so until its size, which its error tells, is another.
    error = error_of(visit)
    return sha256_text(str(error)) if error or isinstance(visit, Failure) else visit.facts.sha256


def _skipped(visits: Mapping[str, Visit], pages: Mapping[str, Page], scope: Scope) -> dict[str, int]:
    robots = {visit.url for visit in visits.values() if isinstance(visit, Absent) and visit.why == "robots"}
    unwanted = {url for url, page in pages.items() if not page.markup.indexable and scope.selects(url)}
    landed = {visit.url for visit in visits.values() if isinstance(visit, Page)}
    counts = {"robots.txt": len(robots), "noindex": len(unwanted), "outside": len(landed - pages.keys())}
    return {why: count for why, count in counts.items() if count}
