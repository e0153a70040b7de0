"""PDF: the text of each page, through PDFium."""

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY, FPDF_PAGEOBJ_IMAGE

from indexer.document import Extracted
from indexer.extract.errors import corrupt, empty, encrypted
from indexer.extract.pieces import Piece, compose
from kb.errors import ExtractionError

# PDFium's mark for a hyphen that it joined a broken word at.
_JOINED = "\ufffe"
_MEDIA_TYPE = "application/pdf"


def extract_pdf(content: bytes) -> Extracted:
    """Pages joined by blank lines. Raises ExtractionError: "encrypted", "corrupt", "empty" (also of images alone)."""
    with _opened(content) as document:
        texts = [_page_text(document, number) for number in range(len(document))]
        if not any(text.strip() for text in texts):
            raise _without_text(document)
        pieces = [Piece(text, page=number) for number, text in enumerate(texts, start=1)]
        title = document.get_metadata_dict(skip_empty=True).get("Title")
        return compose([*pieces, *_attachments(document, len(texts))], _MEDIA_TYPE, title)


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise encrypted() from error
        raise corrupt(error) from error


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        text: str = page.get_textpage().get_text_range()
        page.close()
    except pypdfium2.PdfiumError as error:
        raise corrupt(f"page {number + 1}: {error}") from error
    return text.replace(_JOINED, "")


def _without_text(document: pypdfium2.PdfDocument) -> ExtractionError:
    for page in document:
        if next(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]), None) is not None:
            return empty(f"it has only images on its {len(document)} page(s), no text; it needs text recognition (OCR)")
    return empty(f"it has no text on its {len(document)} page(s)")


def _attachments(document: pypdfium2.PdfDocument, last: int) -> list[Piece]:
    names = [document.get_attachment(number).get_name() for number in range(document.count_attachments())]
    return [Piece("\n".join(f"Attachment: {name}" for name in names), "list", page=last)] if names else []
