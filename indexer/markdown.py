"""The blocks of a Markdown text, line by line after CommonMark: headings, fences, lists, tables, paragraphs."""

import re
from collections.abc import Iterator, Sequence

from indexer.document import Block
from indexer.lines import Line, block, kind_of

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+$")
_SETEXT = re.compile(r" {0,3}(=+|-+)$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_LONGEST_SETEXT = 3


def blocks(rows: Sequence[Line]) -> Iterator[Block]:
    """Blocks of the whole text. A fence that nothing closes is a paragraph, so that it cannot swallow the rest."""
    at = _front_matter(rows)
    if at:
        yield block(rows[:at], "table")
    fences = _Fences(rows)
    group: list[Line] = []
    while at < len(rows):
        row = rows[at]
        heading = _setext(group, row) or _atx(row)
        fence_end = fences.end(at)
        if heading or fence_end or row.blank:
            if group and not (heading and heading.start == group[0].start):
                yield _flow(group)
            group = []
        if heading:
            yield heading
        elif fence_end:
            yield block(rows[at:fence_end], "code")
        elif not row.blank:
            group.append(row)
        at = fence_end or at + 1
    if group:
        yield _flow(group)


def _front_matter(rows: Sequence[Line]) -> int:
    """How many lines the YAML header at the top takes; 0 where there is none."""
    if not rows or rows[0].text != "---":
        return 0
    for number, row in enumerate(rows[1:200], 1):
        if row.text in ("---", "..."):
            return number + 1
    return 0


def _flow(group: Sequence[Line]) -> Block:
    indented = all(row.text.startswith(("    ", "\t")) for row in group)
    return block(group, "code" if indented and kind_of(group) != "list" else None)


def _atx(row: Line) -> Block | None:
    match = _ATX.match(row.text)
    if match is None:
        return None
    return block([row], "heading", len(match[1]), _CLOSING_HASHES.sub("", match[2] or "").strip())


def _setext(group: Sequence[Line], row: Line) -> Block | None:
    """The heading that `row` makes of the paragraph above it."""
    match = _SETEXT.match(row.text)
    if match is None or not 0 < len(group) <= _LONGEST_SETEXT or kind_of(group) != "paragraph":
        return None
    if group[0].indent > 3:
        return None
    title = " ".join(line.text.strip() for line in group)
    return block([*group, row], "heading", 1 if match[1][0] == "=" else 2, title)


class _Fences:
    """Where fenced code ends. Remembers the searches that found no end, which keeps a hostile text linear."""

    def __init__(self, rows: Sequence[Line]) -> None:
        self._rows = rows
        self._unclosed = {"`": 1 << 62, "~": 1 << 62}

    def end(self, at: int) -> int:
        """The line after the fence that opens at line `at`; 0 where none opens there or nothing closes it."""
        match = _FENCE.match(self._rows[at].text)
        if match is None or (match[1][0] == "`" and "`" in match[2]):
            return 0
        mark, length = match[1][0], len(match[1])
        if length >= self._unclosed[mark]:
            return 0
        for number in range(at + 1, len(self._rows)):
            closing = _FENCE.match(self._rows[number].text)
            if closing and closing[1][0] == mark and len(closing[1]) >= length and not closing[2].strip():
                return number + 1
        self._unclosed[mark] = length
        return 0
