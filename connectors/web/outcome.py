"""What comes of visiting a page: what it holds now or is known to have held, or that there is none."""

from dataclasses import dataclass
from typing import Literal

from connectors.web.cache import Facts
from connectors.web.markup import Markup
from kb.errors import DocumentUnavailable, ExtractionError


@dataclass(frozen=True, slots=True)
class Page:
    """`url` is where the redirects ended. With `trouble` it could not be read now, and this is what was known of it."""

    url: str
    facts: Facts
    markup: Markup
    trouble: DocumentUnavailable | ExtractionError | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """No page, for certain: it is gone, or robots.txt keeps it from us."""

    url: str
    why: Literal["gone", "robots"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be read and of which nothing is known."""

    url: str
    error: DocumentUnavailable | ExtractionError


Visit = Page | Absent | Failure


def trouble_of(visit: Visit) -> DocumentUnavailable | None:
    """Why the page could not be read now, though it may be there."""
    error = error_of(visit)
    return error if isinstance(error, DocumentUnavailable) else None


def error_of(visit: Visit) -> DocumentUnavailable | ExtractionError | None:
    """Why there is nothing to fetch: the page's trouble, or that it is too large."""
    if isinstance(visit, Page):
        return visit.trouble
    return visit.error if isinstance(visit, Failure) else None
