"""A document on its way in: its canonical text, and the structure that the chunker cuts along."""

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "definition"]
"""`code` is a listing within prose, `definition` a top-level piece of source code."""


@dataclass(frozen=True, slots=True)
class Block:
    """A structural piece of a text: `text[start:end]`, offsets in characters."""

    start: int
    end: int
    kind: BlockKind
    level: int = 0
    """Headings only: 1 is the outermost."""
    title: str = ""
    """Headings only: the heading's words without its markup."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What extraction makes of a document's bytes. For text formats `text` is the decoded source itself.

    `blocks` are in order and do not overlap; what lies between them is white space. `pages` are the offsets at which
    each page starts (page 1 first), empty where a format has no pages.
    """

    text: str
    media_type: str
    title: str | None
    blocks: tuple[Block, ...]
    pages: tuple[int, ...] = ()
