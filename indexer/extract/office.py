"""Office documents, new and old: what a ZIP or OLE2 container holds decides, whatever the file is called."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from indexer.document import Extracted
from indexer.extract import elements
from indexer.extract.convert import by_libreoffice, by_pandoc, misread_by_pandoc
from indexer.extract.errors import NotADocument, corrupt, empty, encrypted, unsupported
from indexer.extract.formats import Format, suffix_of
from indexer.extract.main_text import main_html
from indexer.extract.pieces import Piece, compose
from kb.errors import ExtractionError

_UNPACKED_LIMIT_BYTES = 500_000_000
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX, PPTX, XLSX = (
    _OOXML + kind for kind in ("wordprocessingml.document", "presentationml.presentation", "spreadsheetml.sheet")
)
_RTF = "application/rtf"
_LEGACY = {
    "WordDocument": ("doc", "docx", "application/msword"),
    "PowerPoint Document": ("ppt", "pptx", "application/vnd.ms-powerpoint"),
}
_OPEN_DOCUMENT = {"spreadsheet": "xlsx", "presentation": "pptx", "graphics": "pdf"}


def extract_zip(content: bytes, uri: str, found: Format) -> Extracted:
    """DOCX, PPTX, XLSX, OpenDocument, EPUB. Raises ExtractionError; NotADocument for ZIP files of other kinds."""
    names = _listing(content, uri, found)
    if "word/document.xml" in names:
        return compose(_docx(content), DOCX, _core_title(content))
    if "ppt/presentation.xml" in names:
        return compose(elements.pptx_pieces(content), PPTX, _core_title(content))
    if "xl/workbook.xml" in names:
        return compose(elements.workbook_pieces(content), XLSX, _core_title(content))
    if "xl/workbook.bin" in names:
        raise unsupported("it is a binary workbook (.xlsb), which no reader here opens; save it as .xlsx")
    if "mimetype" in names:
        return _described(content, uri)
    if suffix_of(uri) in ("zip", ""):
        raise unsupported("it is a ZIP archive; archives are not unpacked")
    if found.named:
        raise corrupt(f"it is a ZIP container without the parts of a .{suffix_of(uri)}")
    raise NotADocument("it is a ZIP container of no known document")


def _listing(content: bytes, uri: str, found: Format) -> frozenset[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            members = container.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        if found.named or suffix_of(uri) in ("zip", ""):
            raise corrupt(error) from error
        raise NotADocument("it is a broken ZIP container of no known document") from error
    if any(member.flag_bits & 1 for member in members):
        raise encrypted()
    unpacked = sum(member.file_size for member in members)
    if unpacked > _UNPACKED_LIMIT_BYTES:
        raise ExtractionError("too large", f"it unpacks to {unpacked} bytes; the limit is {_UNPACKED_LIMIT_BYTES}")
    return frozenset(member.filename for member in members)


def _member(content: bytes, name: str) -> bytes:
    """A part of a ZIP container, empty where it has none or a broken one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            return container.read(name)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return b""


def _core_title(content: bytes) -> str | None:
    found = re.search(rb"<dc:title>([^<]*)</dc:title>", _member(content, "docProps/core.xml"))
    if found is None:
        return None
    from html import unescape

    return unescape(found[1].decode("utf-8", errors="ignore"))


def _docx(content: bytes) -> Iterator[Piece]:
    pieces = [*elements.docx_pieces(content), *_notes(content)]
    if not pieces:
        raise empty("it holds no text, only embedded objects or images")
    yield from pieces


def _notes(content: bytes) -> Iterator[Piece]:
    """Footnotes and endnotes, which the reader of DOCX leaves out."""
    from lxml import etree

    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    for part, tag in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        source = _member(content, part)
        if not source:
            continue
        root = etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
        for note in root.iter(space + tag):
            yield Piece("".join(text.text or "" for text in note.iter(space + "t")))


def _described(content: bytes, uri: str) -> Extracted:
    """A container that tells its own media type: OpenDocument or EPUB."""
    media_type = _member(content, "mimetype").decode("ascii", errors="ignore").strip()
    if b"encryption-data" in _member(content, "META-INF/manifest.xml") or _member(content, "META-INF/rights.xml"):
        raise encrypted()
    if media_type == "application/epub+zip":
        return from_html(by_pandoc(content, "epub"), media_type)
    if media_type.startswith("application/vnd.oasis.opendocument.text"):
        return from_html(by_pandoc(content, "odt"), media_type)
    kind = media_type.removeprefix("application/vnd.oasis.opendocument.").split("-")[0]
    if kind in _OPEN_DOCUMENT:
        suffix = suffix_of(uri) or "odf"
        return _converted(content, suffix, _OPEN_DOCUMENT[kind], media_type)
    raise unsupported(f"it is of the type {media_type or 'unknown'}, which no reader here opens")


def extract_ole(content: bytes, uri: str, found: Format) -> Extracted:
    """Legacy Office and Outlook messages. Raises ExtractionError, or NotADocument for other OLE2 files."""
    streams = _streams(content)
    if "EncryptedPackage" in streams or _locked(content):
        raise encrypted()
    if "__properties_version1.0" in streams:
        from indexer.extract.outlook import extract_msg

        return extract_msg(content)
    if streams & {"Workbook", "Book"}:
        return compose(elements.workbook_pieces(content), "application/vnd.ms-excel")
    for stream, (suffix, target, media_type) in _LEGACY.items():
        if stream in streams:
            return _converted(content, suffix, target, media_type)
    if found.named:
        raise corrupt("it is an OLE2 container without the parts of an Office document")
    raise NotADocument("it is an OLE2 container of no known document")


def _streams(content: bytes) -> frozenset[str]:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as container:
            return frozenset(path[0] for path in container.listdir())
    except (OSError, ValueError, IndexError) as error:
        raise corrupt(error) from error


def _locked(content: bytes) -> bool:
    import msoffcrypto

    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(content)).is_encrypted())
    # It raises whatever its parsers meet in formats older than it knows; those know no encryption that it does.
    except Exception:
        return False


def _converted(content: bytes, suffix: str, target: str, media_type: str) -> Extracted:
    result = by_libreoffice(content, suffix, target)
    if target == "pdf":
        from indexer.extract.pdf import extract_pdf

        return extract_pdf(result)
    readers = {"docx": elements.docx_pieces, "pptx": elements.pptx_pieces, "xlsx": elements.workbook_pieces}
    return compose(readers[target](result), media_type, _core_title(result))


def extract_rtf(content: bytes) -> Extracted:
    """Rich Text. Raises ExtractionError, "unsupported" where the program that it needs is missing."""
    if misread_by_pandoc(content):
        return _converted(content, "rtf", "docx", _RTF)
    return from_html(by_pandoc(content, "rtf"), _RTF)


def from_html(text: str, media_type: str, boilerplate: bool = False) -> Extracted:
    """An HTML page's readable text; with `boilerplate` its main part, the whole where none is found."""
    main = main_html(text) if boilerplate else None
    return compose(elements.html_pieces(main or text), media_type, elements.html_title(text))
