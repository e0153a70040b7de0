"""Where a text may be cut, how good each place is, and what its own words say about cutting there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from itertools import pairwise

from indexer.document import Block, BlockKind
from indexer.lines import bulleted

_BREAK = re.compile(r"(?:\r\n?|\n)\s*+(?=\S)")
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*[\r\n]")
_SENTENCE = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]*`]*+\s++(?=\S)|(?<![。！？])[。！？]++[」』”）]*+(?=\S)")
_OPENERS = "\"'“‘([*`"
_UNWRAPPED_LINE = 120
"""A line longer than this is no line of a wrapped paragraph: its end is an end that the author meant."""
_SHORTEST_LAST_WORD = 4
"""Before a small letter, a shorter word with a full stop is taken for an abbreviation."""
_SPELT = 32
_SPELT_ON = 256


class Strength(IntEnum):
    """How good a place is to cut at: the lower the better."""

    HEADING = 0
    DEFINITION = 1
    BLOCK = 2
    PART = 3
    LINE = 4
    SENTENCE = 5
    UNDER_HEADING = 6
    WORD = 7
    CHARACTER = 8


_STRENGTHS: dict[BlockKind, Strength] = {"heading": Strength.HEADING, "definition": Strength.DEFINITION}
_LITERAL: frozenset[BlockKind] = frozenset(("code", "definition", "table"))
"""Of these kinds each line counts, and there are no sentences."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place to cut: right before `text[position]`. Of equally strong ones the lower `rank` is preferred."""

    position: int
    strength: Strength
    rank: int


def boundaries(text: str, blocks: Iterable[Block]) -> list[Boundary]:
    """All places in order, the text's start included. A rank hangs on the few characters behind its place."""
    places = [*_places(text, blocks), (len(text), Strength.HEADING)]
    return [
        Boundary(here, strength, _rank(text[here : min(there, here + _SPELT)], text[here : here + _SPELT_ON]))
        for (here, strength), (there, _) in pairwise(places)
        if here < there
    ]


def _rank(spelling: str, further: str) -> int:
    """A number that looks random and is the same for the same spelling; what follows decides between equals."""
    return _hash(spelling.rstrip()) << 64 | _hash(further)


def _hash(spelling: str) -> int:
    return int.from_bytes(blake2b(spelling.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _places(text: str, blocks: Iterable[Block]) -> Iterator[tuple[int, Strength]]:
    above: Block | None = None
    for block in blocks:
        under = above is not None and above.kind == "heading"
        if under:
            yield block.start, Strength.UNDER_HEADING
        else:
            yield block.start, _STRENGTHS.get(block.kind, Strength.BLOCK)
        yield from _inner(text, block)
        above = block


def _inner(text: str, block: Block) -> Iterator[tuple[int, Strength]]:
    found: dict[int, Strength] = {}
    if block.kind not in _LITERAL:
        found.update((place, Strength.SENTENCE) for place in _sentences(text, block))
    found.update(_lines(text, block))
    yield from sorted(found.items())


def _lines(text: str, block: Block) -> Iterator[tuple[int, Strength]]:
    above = block.start
    for found in _BREAK.finditer(text, block.start, block.end):
        if _BLANK_LINE.match(text, found.start(), found.end()):
            yield found.end(), Strength.PART
        elif (
            block.kind in _LITERAL
            or found.start() - above > _UNWRAPPED_LINE
            or bulleted(text[found.end() : found.end() + 8])
        ):
            yield found.end(), Strength.LINE
        above = found.end()


def _sentences(text: str, block: Block) -> Iterator[int]:
    for found in _SENTENCE.finditer(text, block.start, block.end):
        last_word = text[max(block.start, found.start() - _SHORTEST_LAST_WORD) : found.start()]
        abbreviated = len(last_word) < _SHORTEST_LAST_WORD or " " in last_word or "." in last_word
        if not (abbreviated and text[found.end() : found.end() + 4].lstrip(_OPENERS)[:1].islower()):
            yield found.end()
