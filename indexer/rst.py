"""The blocks of a reStructuredText: titles by their adornment, literal blocks, lists, tables, paragraphs."""

import re
from collections.abc import Iterator, Sequence

from indexer.document import Block
from indexer.lines import Line, block, groups

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*$")
_CODE = re.compile(r"\s*\.\. (?:code|code-block|sourcecode|parsed-literal|literalinclude|doctest)::")
_SHORTEST_ADORNMENT = 4
"""An underline shorter than its title is a warning to docutils from four characters on, no title below."""

Style = tuple[str, bool]


def blocks(rows: Sequence[Line]) -> Iterator[Block]:
    """Blocks of the whole text. Levels alone go by the order in which adornments first appear."""
    levels: dict[Style, int] = {}
    literal = False
    for group in groups(rows):
        rest: Sequence[Line] = group
        while rest and (found := _title(rest)):
            style, length, title = found
            yield block(rest[:length], "heading", levels.setdefault(style, len(levels) + 1), title)
            rest, literal = rest[length:], False
        if rest:
            literal = literal and rest[0].indent > 0
            yield block(rest, "code" if literal or _CODE.match(rest[0].text) else None)
            literal = literal or rest[-1].text.endswith("::") or _CODE.match(rest[0].text) is not None


def _title(group: Sequence[Line]) -> tuple[Style, int, str] | None:
    """The title that `group` starts with: its style, the lines that it takes, and its words."""
    if len(group) >= 3 and _underlines(group[0].text, group[1].text) and group[2].text == group[0].text:
        return (group[0].text[0], True), 3, group[1].text.strip()
    if len(group) >= 2 and not group[0].indent and _underlines(group[1].text, group[0].text):
        return (group[1].text[0], False), 2, group[0].text
    return None


def _underlines(adornment: str, title: str) -> bool:
    if not _ADORNMENT.match(adornment) or _ADORNMENT.match(title):
        return False
    return len(adornment) >= min(len(title.strip()), _SHORTEST_ADORNMENT)
