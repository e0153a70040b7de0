"""Text formats: the canonical text is the decoded source itself, so that offsets are those of the file."""

from collections.abc import Sequence

from indexer.document import Block, Extracted
from indexer.extract.encoding import decode
from indexer.extract.errors import empty
from indexer.extract.formats import Format, Kind
from indexer.structure import Form, blocks

_FORMS: dict[Kind, Form] = {"markdown": "markdown", "rst": "rst", "code": "code"}


def extract_plain(content: bytes, found: Format, media_type: str | None) -> Extracted:
    """The source's characters, none changed. Raises ExtractionError: "undecodable" or "empty"."""
    text = decode(content, media_type)
    if not text.strip():
        raise empty("it holds nothing but white space" if text else "it has no content")
    pieces = _table(text) if found.kind == "csv" else blocks(text, _FORMS.get(found.kind, "text"))
    return Extracted(text, found.media_type, _title(pieces), tuple(pieces))


def _table(text: str) -> Sequence[Block]:
    start = len(text) - len(text.lstrip())
    return (Block(start, len(text.rstrip()), "table"),)


def _title(pieces: Sequence[Block]) -> str | None:
    headings = [piece for piece in pieces if piece.kind == "heading" and piece.title]
    if not headings:
        return None
    return min(headings, key=lambda heading: heading.level).title
