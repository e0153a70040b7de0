"""A document cut into passages: by structure first, at places that its own words choose, none past the window."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from zlib import crc32

from indexer.boundaries import Boundary, Strength, boundaries
from indexer.cuts import cuts
from indexer.document import Block, Extracted
from kb.embedding.protocol import Tokeniser
from kb.nouns import Passage

CHUNKER = "content-chosen boundaries 2"

_JOINERS = "\u200d\ufe0e\ufe0f"
_WORD = re.compile(r"(?<=\s)\S")
_LONGEST_CLUSTER = 16
_REACH = 3
"""Where to part a long span is chosen among so many times the maximum: enough for the same choice from either end."""
_SPELT = 8


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """Sizes in characters; they shape every chunk, so they belong to the fingerprint."""

    spacing: int = 275
    """The least distance between two cuts at block boundaries; passages come out about twice as long."""
    definition_spacing: int = 150
    """The same between the definitions of source code, where one function is one idea."""
    inner_spacing: int = 600
    """The same for cuts inside of a block: what is shorter than twice this stays whole."""
    maximum: int = 1500
    """No passage is longer, however few tokens it has: a word past a tokeniser's limit counts as one token."""

    @property
    def spacings(self) -> Mapping[Strength, int]:
        """The least distance between two cuts of each strength."""
        inner = dict.fromkeys((Strength.PART, Strength.LINE, Strength.SENTENCE), self.inner_spacing)
        return {Strength.DEFINITION: self.definition_spacing, Strength.BLOCK: self.spacing, **inner}


def chunk(extracted: Extracted, tokeniser: Tokeniser, settings: ChunkSettings | None = None) -> tuple[Passage, ...]:
    """Passages in order, without overlap, trimmed; every character but white space lies in one of them.

    None has more than `tokeniser.window` tokens by itself. Pure: equal texts with equal blocks are cut equally, and an
    edit changes the passages around it alone.
    """
    settings = settings or ChunkSettings()
    text, blocks = extracted.text, _complete(extracted)
    places = boundaries(text, blocks)
    positions = cuts(places, len(text), settings.spacings)
    fitting = _Fitting(text, places, tokeniser, settings.maximum)
    spans = [span for start, end in pairwise(positions) for span in fitting.spans(start, end)]
    sections = _Sections(blocks)
    return tuple(Passage(a, b, sections.above(b), _page(extracted.pages, a)) for a, b in spans)


def _complete(extracted: Extracted) -> list[Block]:
    """The blocks, and a paragraph for whatever they leave out, so that nothing is lost."""
    blocks: list[Block] = []
    at = 0
    for block in (*extracted.blocks, Block(len(extracted.text), len(extracted.text), "paragraph")):
        between = Block(at, block.start, "paragraph")
        for piece in (between, block):
            start, end = _trim(extracted.text, piece.start, piece.end)
            if start < end:
                blocks.append(replace(piece, start=start, end=end))
        at = block.end
    return blocks


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _page(pages: Sequence[int], start: int) -> int | None:
    return max(1, bisect_right(pages, start)) if pages else None


class _Sections:
    """The path of headings at each offset."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._starts: list[int] = []
        self._paths: list[tuple[str, ...]] = []
        path: list[Block] = []
        for heading in (block for block in blocks if block.kind == "heading"):
            while path and path[-1].level >= heading.level:
                path.pop()
            path.append(heading)
            self._starts.append(heading.start)
            self._paths.append(tuple(above.title for above in path if above.title))

    def above(self, end: int) -> tuple[str, ...]:
        """The path before `end`: a passage's own headings are its first lines, so they count."""
        at = bisect_left(self._starts, end)
        return self._paths[at - 1] if at else ()


class _Fitting:
    """Brings spans under the maximum and the window, at the best boundary that each leaves to choose."""

    def __init__(self, text: str, places: Sequence[Boundary], tokeniser: Tokeniser, maximum: int) -> None:
        self._text = text
        self._places = places
        self._positions = [place.position for place in places]
        self._tokeniser = tokeniser
        self._maximum = maximum

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The trimmed spans that `text[start:end]` is cut into."""
        start, end = _trim(self._text, start, end)
        while end - start > self._maximum:
            # Neither side comes out as a splinter, and what is far behind has no say.
            high = min(end - self._maximum // 4, start + _REACH * self._maximum)
            cut = self._best(start + self._maximum // 4, high)
            yield from self.spans(start, cut)
            start, _ = _trim(self._text, cut, end)
        yield from self._within_window(start, end)

    def _within_window(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start >= end:
            return
        tokens = self._tokeniser.offsets(self._text[start:end])
        if len(tokens) <= self._tokeniser.window or end - start == 1:
            yield start, end
            return
        low, high = (start + tokens[len(tokens) * third // 3][0] for third in (1, 2))
        cut = self._best(min(max(low, start + 1), end - 1), min(max(high, start + 1), end - 1))
        yield from self._within_window(*_trim(self._text, start, cut))
        yield from self._within_window(*_trim(self._text, cut, end))

    def _best(self, low: int, high: int) -> int:
        """The best place to cut in `low..high`, both included."""
        known = self._places[bisect_left(self._positions, low) : bisect_right(self._positions, high)]
        if known:
            return min(known, key=attrgetter("strength", "rank")).position
        high = min(high, low + self._maximum)
        words = [found.start() for found in _WORD.finditer(self._text, low, high + 1)]
        if words:
            return min(words, key=self._spelling)
        return _unjoined(self._text, low, high, min(range(low, high + 1), key=self._spelling))

    def _spelling(self, at: int) -> int:
        return crc32(self._text[at : at + _SPELT].encode("utf-8", "surrogatepass"))


def _unjoined(text: str, low: int, high: int, at: int) -> int:
    """The place in `low..high` nearest to `at` that parts no character, if there is one within reach."""
    near = range(max(low, at - _LONGEST_CLUSTER), min(high, at + _LONGEST_CLUSTER) + 1)
    return min((place for place in near if not _joined(text, place)), key=lambda place: abs(place - at), default=at)


def _joined(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` would part what is read as one character."""
    character, before = text[at], text[at - 1]
    return (
        character in _JOINERS
        or before == "\u200d"
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or all("\U0001f1e6" <= flag <= "\U0001f1ff" for flag in (before, character))
    )
