"""The structural pieces of a text: headings, paragraphs, lists, tables, code."""

from collections.abc import Iterator, Sequence
from typing import Literal

from indexer import markdown, rst
from indexer.document import Block
from indexer.lines import Line, block, groups, lines

Form = Literal["text", "markdown", "rst", "code"]

_CLOSERS = ")]}>"


def blocks(text: str, form: Form) -> tuple[Block, ...]:
    """Pieces in order, without overlap, only white space between. An edit disturbs its surroundings alone."""
    rows = lines(text)
    match form:
        case "markdown":
            return tuple(markdown.blocks(rows))
        case "rst":
            return tuple(rst.blocks(rows))
        case "code":
            return tuple(_code(rows))
        case "text":
            return tuple(block(group) for group in groups(rows))


def _code(rows: Sequence[Line]) -> Iterator[Block]:
    """A definition with its body: groups that start indented, or by closing a bracket, go on with the one above."""
    piece: list[Line] = []
    for group in groups(rows):
        if piece and not (group[0].indent or group[0].text[0] in _CLOSERS):
            yield block(piece, "definition")
            piece = []
        piece += group
    if piece:
        yield block(piece, "definition")
