"""Lines of a text with their offsets, and the kind of block that a group of lines makes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.document import Block, BlockKind

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BULLET = re.compile(r"\s*(?:[-*+•‣◦]|#\.|\(?(?:\d{1,3}|[A-Za-z])[.)])(?:\s|$)")
_FIELD = re.compile(r":?[A-Za-z][\w -]{0,40}:(?:\s|$)")
_RULE = re.compile(r"\s*[+=|-][-+=| :]+$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `text` is without its trailing white space and starts at offset `start`."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def blank(self) -> bool:
        return not self.text

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip())


def lines(text: str) -> tuple[Line, ...]:
    """All lines of `text`; `\\n`, `\\r\\n` and `\\r` end a line, other white space does not."""
    return tuple(Line(match.start(), match[0].rstrip()) for match in _LINE.finditer(text) if match[0])


def groups(rows: Sequence[Line]) -> Iterator[list[Line]]:
    """Runs of lines between blank lines."""
    group: list[Line] = []
    for row in rows:
        if row.blank and group:
            yield group
            group = []
        elif not row.blank:
            group.append(row)
    if group:
        yield group


def bulleted(line: str) -> bool:
    """Whether a list's item starts here."""
    return _BULLET.match(line) is not None


def kind_of(group: Sequence[Line]) -> BlockKind:
    """What a group of lines looks like, judged by itself alone."""
    if bulleted(group[0].text):
        return "list"
    if _tabular(group):
        return "table"
    return "paragraph"


def block(group: Sequence[Line], kind: BlockKind | None = None, level: int = 0, title: str = "") -> Block:
    """The block that spans `group`."""
    return Block(group[0].start, group[-1].end, kind or kind_of(group), level, title)


def _tabular(group: Sequence[Line]) -> bool:
    ruled = sum(_RULE.match(row.text) is not None for row in group)
    celled = sum("|" in row.text or "\t" in row.text.strip() for row in group)
    fields = sum(_FIELD.match(row.text) is not None for row in group)
    headed = fields > 1 and _FIELD.match(group[0].text) is not None
    return len(group) > 1 and (ruled > 1 or celled * 2 > len(group) or headed)
