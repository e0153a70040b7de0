"""Pieces of a document put together: one canonical text with its blocks and its pages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from indexer.document import Block, BlockKind, Extracted
from indexer.extract.errors import empty

# No text may hold them: NUL and its like, halves of surrogate pairs, byte order marks, non-characters.
_NOISE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile(r"(?<![ \t\xa0])[ \t\xa0]*(?:\r\n|\r|\n|\x0c|\x85|\u2028|\u2029)")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, heading, list item, table or code of a document that is not text itself."""

    text: str
    kind: BlockKind = "paragraph"
    level: int = 0
    page: int | None = None


def compose(pieces: Iterable[Piece], media_type: str, title: str | None = None) -> Extracted:
    """The pieces joined by blank lines. Raises ExtractionError("empty") where they hold no text."""
    clean = [(piece, text) for piece in pieces if (text := cleaned(piece.text))]
    if not clean:
        raise empty("it holds no text")
    blocks, pages, at = [], _Pages(), 0
    for piece, text in clean:
        pages.reach(piece.page, at)
        heading = " ".join(text.split()) if piece.kind == "heading" else ""
        blocks.append(Block(at, at + len(text), piece.kind, piece.level, heading))
        at += len(text) + 2
    text = "\n\n".join(text for _, text in clean)
    name = cleaned(title or "") or next((block.title for block in blocks if block.title), None)
    return Extracted(text, media_type, name, tuple(blocks), pages.starts(len(text)))


def rows_text(rows: Iterable[Sequence[str]]) -> str:
    """A table as text: one row a line, its cells between bars, empty rows left out."""
    lines = ([" ".join(cell.split()) for cell in row] for row in rows)
    return "\n".join(" | ".join(cells).rstrip(" |") for cells in lines if any(cells))


def cleaned(text: str) -> str:
    """The text with plain line ends and without what no text may hold."""
    plain = _NOISE.sub("", _LINE_END.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", plain).strip()


class _Pages:
    """Where each page starts; a page without text starts where the next one does."""

    def __init__(self) -> None:
        self._starts: list[int] = []

    def reach(self, page: int | None, at: int) -> None:
        if page is not None:
            self._starts += [at] * (page - len(self._starts))

    def starts(self, end: int) -> tuple[int, ...]:
        return (0, *(min(start, end) for start in self._starts[1:])) if self._starts else ()
