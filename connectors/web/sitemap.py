"""Sitemaps: the pages that a site lists itself, by the protocol of sitemaps.org; an index leads to more of them."""

from collections.abc import Callable

from lxml import etree

from connectors.web.body import gathered, unzipped
from connectors.web.urls import joined, shown
from kb.errors import ExtractionError, SourceUnavailable

_LIMIT_BYTES = 64 * 2**20
_LIMIT_FILES = 1000


def pages(read: Callable[[str], bytes], start: str) -> tuple[str, ...]:
    """All pages that the sitemap lists, itself or through others, each once. Raises SourceUnavailable.

    An address that is not of the web (`mailto:`, `ftp:`) is none of a page.
    """
    found: dict[str, None] = {}
    waiting = {start: None}
    seen: set[str] = set()
    while waiting:
        url = next(iter(waiting))
        del waiting[url]
        seen.add(url)
        if len(seen) > _LIMIT_FILES:
            raise SourceUnavailable(
                f"{shown(start)} leads to more than {_LIMIT_FILES} sitemaps; name those that matter"
            )
        kind, listed = _parsed(_plain(read(url), url), url)
        into = found if kind == "urlset" else waiting
        into.update((each, None) for each in listed if kind == "urlset" or each not in seen)
    return tuple(found)


def _plain(content: bytes, url: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gathered(unzipped([content]), _LIMIT_BYTES, shown(url))
    except (ValueError, ExtractionError) as error:
        raise _unreadable(url, str(error)) from error


def _parsed(content: bytes, url: str) -> tuple[str, list[str]]:
    # No entities, no look-ups: a sitemap is a list and nothing else.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable(url, str(error)) from error
    kind = etree.QName(root).localname
    entry = {"urlset": "url", "sitemapindex": "sitemap"}.get(kind)
    if entry is None or root.getroottree().docinfo.doctype:
        raise _unreadable(url, "it is neither a `urlset` nor a `sitemapindex`")
    locations = root.xpath("*[local-name() = $entry]/*[local-name() = 'loc']", entry=entry)
    texts = [location.text for location in locations if (location.text or "").strip()]
    return kind, [found for text in texts if (found := joined(url, text))]


def _unreadable(url: str, why: str) -> SourceUnavailable:
    return SourceUnavailable(f"{shown(url)} cannot be read as a sitemap: {why.splitlines()[0]}")
