"""The one door to `unstructured`: HTML, DOCX, PPTX and workbooks into pieces, downloading and reporting nothing."""

import io
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from indexer.document import BlockKind
from indexer.extract.errors import corrupt
from indexer.extract.limits import unlimited
from indexer.extract.pieces import Piece, rows_text

_KINDS: dict[str, BlockKind] = {"ListItem": "list", "Table": "table", "CodeSnippet": "code", "Formula": "code"}
_COMMENT = re.compile(r"<[!?].*?>", re.DOTALL)
_TAG = re.compile(r"<\w")
_QUIET = {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "1", "UNSTRUCTURED_DISABLE_NOTICE": "1"}


def html_pieces(text: str) -> Iterator[Piece]:
    """The readable text; headings are `h1` to `h6`."""
    library = _library("html")
    try:
        elements = library.partition_html(text=text, languages=[""])
    except AttributeError:
        # It trips over a page without any element.
        if _TAG.search(_COMMENT.sub("", text)):
            raise
        return
    for entry in _parser().error_log:
        if "limit" in entry.message or "depth" in entry.message:
            raise corrupt(entry.message)
    for element in elements:
        depth = element.metadata.category_depth
        yield _piece(element, None if depth is None else depth + 1)


def html_title(text: str) -> str | None:
    """What stands in `<title>`."""
    from lxml import etree, html

    head = text[:65536].encode("utf-8", errors="ignore")
    try:
        found = html.fromstring(head, parser=html.HTMLParser(encoding="utf-8")).find(".//title")
    except etree.ParserError:
        return None
    return None if found is None else found.text_content()


def docx_pieces(content: bytes) -> Iterator[Piece]:
    """Headings are what carries a heading style. Pages are not known: a DOCX is laid out anew wherever it is opened."""
    for element in _library("docx").partition_docx(file=io.BytesIO(content), languages=[""]):
        yield _piece(element, (element.metadata.category_depth or 0) + 1)


def pptx_pieces(content: bytes) -> Iterator[Piece]:
    """Slides are pages; a slide's title is a heading; its notes come first, as they are read."""
    partition = _library("pptx").partition_pptx
    for element in partition(file=io.BytesIO(content), include_slide_notes=True, languages=[""]):
        # Other short lines are taken for titles, too, one level down.
        yield _piece(element, 1 if element.metadata.category_depth == 0 else None, element.metadata.page_number)


def workbook_pieces(content: bytes) -> Iterator[Piece]:
    """Sheets are pages, each under its name. Cells are read as they are: `NA` is a word, and 7 is not 7.0."""
    with _library("xlsx").open_excel_workbook(content) as workbook:
        for page, name in enumerate(workbook.sheet_names, start=1):
            # The library's own `parse` would take the words `NA` and `null` for empty cells.
            frame = workbook._reader.parse(sheet_name=name, header=None, na_filter=False, dtype=object)
            table = rows_text([_cell(value) for value in row] for row in frame.itertuples(index=False, name=None))
            if table:
                yield Piece(name, "heading", level=1, page=page)
                yield Piece(table, "table", page=page)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    return str(value).removesuffix(" 00:00:00")


def _piece(element: Any, level: int | None, page: int | None = None) -> Piece:
    name = type(element).__name__
    if name == "Title" and level is not None:
        return Piece(element.text, "heading", level=level, page=page)
    if name == "Table":
        return Piece(_table(element), "table", page=page)
    return Piece(element.text, _KINDS.get(name, "paragraph"), page=page)


def _table(element: Any) -> str:
    markup = element.metadata.text_as_html
    if not markup:
        return str(element.text)
    from lxml import html

    rows = html.fromstring(markup).iter("tr")
    return rows_text([cell.text_content() for cell in row.iter("td", "th")] for row in rows)


@cache
def _library(form: str) -> ModuleType:
    """A partitioner's module, prepared. What importing it maps is not counted as the document's memory."""
    import importlib

    with unlimited():
        _silence(os.environ)
        _spell_by_rule()
        _read_whole()
        return importlib.import_module(f"unstructured.partition.{form}")


def _silence(environment: Any) -> None:
    environment.update(_QUIET)


def _spell_by_rule() -> None:
    """On first use it would fetch a statistical model from the internet; a rule finds sentences well enough."""
    import spacy
    from unstructured.nlp import tokenize

    def rules() -> Any:
        pipeline = spacy.blank("en")
        pipeline.add_pipe("sentencizer")
        return pipeline

    tokenize._load_spacy_model = rules


def _read_whole() -> None:
    """Its HTML parser stops without a word below 256 levels and past 10 MB, and skips lines of one character."""
    from lxml import etree
    from unstructured.documents.elements import ListItem, Text
    from unstructured.partition.html import parser, partition
    from unstructured.partition.text_type import is_bulleted_text

    whole = etree.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=True)
    whole.set_element_class_lookup(parser.element_class_lookup)
    partition.html_parser = parser.html_parser = whole
    parser.derive_element_type_from_text = lambda text: ListItem if is_bulleted_text(text) else Text


def _parser() -> Any:
    from unstructured.partition.html import parser

    return parser.html_parser


def versions() -> Mapping[str, str]:
    """Of the libraries that shape the text, without importing them."""
    from importlib.metadata import version

    return {name: version(name) for name in ("unstructured", "pypdfium2", "chardet", "trafilatura")}
