"""What a page says to those who follow links: where it leads, what its own name is, whether it wants to be found."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree, html

from connectors.web.urls import joined, shown
from connectors.web.wire import AGENT
from kb.errors import DocumentUnavailable

LIMIT_BYTES = 32 * 2**20
"""Larger HTML is not read for its links."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Markup:
    """Links are normal URLs in the order of their appearance, each once."""

    links: tuple[str, ...] = ()
    canonical: str | None = None
    indexable: bool = True


def is_html(media_type: str | None, body: bytes) -> bool:
    essence = (media_type or "").partition(";")[0].strip().lower()
    if essence:
        return essence in ("text/html", "application/xhtml+xml")
    return body[:1024].lstrip()[:1] == b"<"


def read(body: bytes, media_type: str | None, url: str, directives: Sequence[str]) -> Markup:
    """What the page says; of what is not HTML, what its headers say (`directives`).

    Raises DocumentUnavailable where its links cannot be told.
    """
    tree = _tree(body, media_type, url) if is_html(media_type, body) else None
    if tree is None:
        return Markup(indexable=_indexable(directives))
    metas = (
        meta for meta in tree.iter("meta") if (meta.get("name") or "").strip().lower() in ("robots", AGENT.lower())
    )
    said = [*directives, *(word for meta in metas for word in words(meta.get("content") or ""))]
    base = next((joined(url, found) for found in tree.xpath("//base/@href")), None) or url
    follow = not {"nofollow", "none"} & set(said)
    links = dict.fromkeys(link for href in _hrefs(tree) if (link := joined(base, href))) if follow else {}
    canonical = next((href for href in _canonicals(tree)), None)
    return Markup(tuple(links), joined(base, canonical) if canonical else None, _indexable(said))


def words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]


def _indexable(said: Iterable[str]) -> bool:
    return not {"noindex", "none"} & set(said)


def _tree(body: bytes, media_type: str | None, url: str) -> Any:
    """None where there are no elements."""
    content, encoding = _told(body, media_type)
    # Without `huge_tree` the parser would stop without a word below 256 levels.
    parser = html.HTMLParser(encoding=encoding, huge_tree=True, no_network=True)
    try:
        tree = html.document_fromstring(content, parser=parser)
    except etree.LxmlError:
        return None
    if any("limit" in entry.message or "depth" in entry.message for entry in parser.error_log):
        raise DocumentUnavailable(f"{shown(url)} is nested too deeply for its links to be read")
    return tree


def _told(body: bytes, media_type: str | None) -> tuple[bytes, str | None]:
    """The body with its encoding; None where the page itself must say it."""
    try:
        body.decode("utf-8")
        return body, "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        named = _CHARSET.findall(media_type or "")[0]
        return body.decode(named, errors="replace").encode("utf-8", errors="ignore"), "utf-8"
    except (LookupError, ValueError):
        return body, None


def _hrefs(tree: Any) -> Iterable[str]:
    for link in tree.iter("a", "area"):
        if link.get("href") and "nofollow" not in (link.get("rel") or "").lower().split():
            yield link.get("href")


def _canonicals(tree: Any) -> Iterable[str]:
    for link in tree.iter("link"):
        if link.get("href") and "canonical" in (link.get("rel") or "").lower().split():
            yield link.get("href")
