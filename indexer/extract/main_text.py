"""The one door to `trafilatura`: a web page's main text, without the navigation and notices that surround it."""

from functools import cache
from typing import Any

from indexer.extract.limits import unlimited

_LONGEST = 1_000_000
"""Characters. What surrounds the text of a longer page is a small part of it, and telling it apart takes minutes."""

_HEADINGS = "h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6"
_OWN_HEADINGS = (
    f"//*[(self::{_HEADINGS}) and normalize-space()]"
    "[not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside)]"
)


def main_html(text: str) -> str | None:
    """The page's main part as plain HTML without readers' comments, None where it cannot be told from the rest."""
    tree = _tree(text) if len(text) <= _LONGEST else None
    if tree is None:
        return None
    headed = bool(tree.xpath(_OWN_HEADINGS))
    found: str | None = _library().extract(tree, output_format="html", include_comments=False)
    # Where it finds no main part it gathers paragraphs from all over the page, and loses headings and lists.
    return None if headed and found and not any(f"<h{level}" in found for level in range(1, 7)) else found


def _tree(text: str) -> Any:
    """None for what has no elements, or more levels than any parser here follows."""
    from lxml import etree, html

    # The library's own parser would stop without a word below 256 levels.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = html.document_fromstring(text.encode("utf-8", errors="ignore"), parser=parser)
    except etree.ParserError:
        return None
    return None if any("limit" in entry.message or "depth" in entry.message for entry in parser.error_log) else tree


@cache
def _library() -> Any:
    """Its bundled settings hold, none are looked for elsewhere. What importing it maps is not the document's memory."""
    with unlimited():
        import trafilatura

        return trafilatura
