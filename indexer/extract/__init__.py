"""Extraction: a document's bytes to its canonical text, or the true reason why there is none."""

from indexer.document import Extracted
from indexer.extract.elements import versions
from indexer.extract.encoding import binary, decode
from indexer.extract.errors import NotADocument, corrupt, empty, unsupported
from indexer.extract.formats import PLAIN, Format, recognise
from kb.errors import ExtractionError, KBError

__all__ = ["EXTRACTOR", "LIMIT_BYTES", "NotADocument", "extract"]

LIMIT_BYTES = 50_000_000
_RULES = "1"
"""Of this package itself: raised when a change to it changes any document's text or blocks."""

EXTRACTOR = " ".join([f"palimpsest-extract {_RULES}", *(f"{name} {version}" for name, version in versions().items())])


def extract(
    content: bytes,
    uri: str,
    media_type: str | None = None,
    *,
    boilerplate: bool = False,
    limit_bytes: int = LIMIT_BYTES,
) -> Extracted:
    """Pure, and only as safe as its parsers: hostile bytes belong in an ExtractionPool.

    With `boilerplate` an HTML page gives its main text alone, where that can be told from the rest.

    Raises ExtractionError with the reason for quarantine, or NotADocument for what is to be skipped and counted.
    """
    if len(content) > limit_bytes:
        raise ExtractionError("too large", f"it has {len(content)} bytes; the limit is {limit_bytes}")
    found = recognise(content, uri, media_type)
    try:
        return _extracted(content, uri, media_type, found, boilerplate)
    except MemoryError as error:
        raise ExtractionError("out of memory", "it needs more memory than extraction may use") from error
    except RecursionError as error:
        raise corrupt("it is nested too deeply") from error
    except KBError:
        raise
    # Parsers raise anything on hostile files, and all of it means the same. Plain text meets no parser but our own.
    except Exception as error:
        if found.kind in PLAIN:
            raise
        raise corrupt(error) from error


def _extracted(content: bytes, uri: str, media_type: str | None, found: Format, boilerplate: bool) -> Extracted:
    if not content:
        raise empty("it has no content")
    match found.kind:
        case "pdf":
            from indexer.extract.pdf import extract_pdf

            return extract_pdf(content)
        case "zip" | "ole" | "rtf":
            return _contained(content, uri, found)
        case "archive":
            raise unsupported("it is an archive; archives are not unpacked")
        case "binary":
            raise NotADocument(f"it is {found.media_type}, not a document")
        case "missing":
            raise _impostor(content)
        case _:
            return _textual(content, media_type, found, boilerplate)


def _contained(content: bytes, uri: str, found: Format) -> Extracted:
    from indexer.extract import office

    if found.kind == "zip":
        return office.extract_zip(content, uri, found)
    if found.kind == "ole":
        return office.extract_ole(content, uri, found)
    return office.extract_rtf(content)


def _impostor(content: bytes) -> ExtractionError:
    """Text under a container's name is an error page or a broken download: the last good version is worth more."""
    if not content.strip():
        return empty("it holds nothing but white space")
    return corrupt("its content is not of the kind that its name says")


def _textual(content: bytes, media_type: str | None, found: Format, boilerplate: bool) -> Extracted:
    if binary(content) and not found.named:
        raise NotADocument("it is binary, of no known kind")
    if found.kind == "html":
        return _page(content, media_type, found, boilerplate)
    if found.kind == "eml" and content.strip():
        from indexer.extract.mail import extract_eml, has_headers

        if has_headers(content):
            return extract_eml(content)
    if found.kind == "mbox" and content.strip():
        raise unsupported("it is a mailbox of many messages; export them as single .eml files")
    from indexer.extract.plain import extract_plain

    return extract_plain(content, found, media_type)


def _page(content: bytes, media_type: str | None, found: Format, boilerplate: bool) -> Extracted:
    from indexer.extract.office import from_html

    text = decode(content, media_type)
    if not text.strip():
        raise empty("it holds nothing but white space")
    return from_html(text, found.media_type, boilerplate)
