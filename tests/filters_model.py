"""Two shelves through random changes, and what filters and access lists leave of each version, by dictionaries."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reference_model import DIMENSIONS, Piece, Place, bm25, folded, pieces, ranked, vector
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from kb.nouns import Mode
from kb.search.fusion import fuse

SHELVES = ("docs", "notes")
NAMES = ("a.md", "b.txt", "deep/c.md", "deep/d.rst", "50%_off.md", "e.py", "f.md", "g.md")
HEADINGS = ("Refunds", "Period", "Re[fund]s?", "Owner's 100 %", "a=b")
METADATA: Mapping[str, Sequence[str]] = {
    "lang": ("de", "en", "d*"),
    "team": ("=x", "it's", ""),
    "a=b": ("c", "=c"),
    "source": ("docs", "scan"),
}
GROUPS = ("staff", "legal", "it's")
START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ["refund", "period", "customer", "goods", "thirty", "days", "written", "notice", "owner", "of", "the"]
STEPS = 12

Facts = dict[Place, Paper]
"""What is published: a paper's time is that of its last change of text."""
Filters = dict[str, list[str]]


class Library:
    """Two shelves through random changes, and what each version holds."""

    def __init__(self, path: Path) -> None:
        self.bench = Workbench(path, DIMENSIONS)
        self.chance = random.Random(7)
        self.versions: list[Facts] = []
        self.access: dict[Place, tuple[str, ...] | None] = {}
        papers: dict[str, dict[str, Paper]] = {name: {} for name in SHELVES}
        for name in SHELVES:
            self.bench.add_unregistered(name)
        for step in range(STEPS):
            name = SHELVES[step % 2]
            for uri in NAMES if step < 2 else self.chance.sample(NAMES, 3):
                self._change(papers[name], uri, step)
            self._publish(name, papers[name])
        self.base = kb.open(self.bench.home.path)

    def _change(self, papers: dict[str, Paper], uri: str, step: int) -> None:
        """Another text, heading, time, metadata or access list, or no paper at all."""
        old = papers.get(uri)
        kind = "new" if old is None else self.chance.choice(("text", "metadata", "access", "time", "gone", "heading"))
        time = None if uri == "e.py" else START + timedelta(days=step, hours=self.chance.randrange(3) * 12)
        if old is None:
            papers[uri] = Paper(self._text(), time, self._metadata(), self._access())
        elif kind == "gone":
            del papers[uri]
        elif kind == "text":
            papers[uri] = replace(old, text=self._text(), modified_at=time)
        elif kind == "heading":
            rest = old.text.split("\n\n")[1:]
            papers[uri] = replace(old, text="\n\n".join([f"# {self.chance.choice(HEADINGS)}", *rest]), modified_at=time)
        elif kind == "metadata":
            papers[uri] = replace(old, metadata=self._metadata())
        elif kind == "access":
            papers[uri] = replace(old, access=self._access())
        else:
            papers[uri] = replace(old, modified_at=time)

    def _text(self) -> str:
        chance = self.chance
        paragraphs = [f"# {chance.choice(HEADINGS)}"]
        for level in chance.choices(("", "## ", "### "), k=4):
            paragraphs += [f"{level}{chance.choice(HEADINGS)}"] if level else []
            paragraphs.append(" ".join(chance.choices(WORDS, k=90)) + ".")
        return "\n\n".join(paragraphs)

    def _metadata(self) -> dict[str, str]:
        keys = self.chance.sample(sorted(METADATA), 2)
        return {key: self.chance.choice(METADATA[key]) for key in keys}

    def _access(self) -> tuple[str, ...] | None:
        return self.chance.choice((None, None, (), ("staff",), ("legal", "it's"), ("staff", "legal")))

    def _publish(self, name: str, papers: Mapping[str, Paper]) -> None:
        before = self.versions[-1] if self.versions else {}
        after = {place: paper for place, paper in before.items() if place[0] != name}
        for uri, paper in papers.items():
            self.access[name, uri] = paper.access
            old = before.get((name, uri))
            time = old.modified_at if old and old.text == paper.text else paper.modified_at
            after[name, uri] = Paper(paper.text, time, paper.metadata)
        published = self.bench.sync_with(name, Shelf(papers)).published
        assert len(published) == (after != before)
        if after != before:
            self.versions.append(after)

    def expected(self, version: int, query: str, wanted: "Selection") -> dict[Mode, list[tuple[str, float]]]:
        papers = self.versions[version - 1]
        chunks = {piece.chunk_id: piece for place, paper in papers.items() for piece in pieces(place, paper.text)}
        left = {
            name: piece
            for name, piece in chunks.items()
            if wanted.selects(piece, papers[piece.place]) and wanted.may_see(self.access[piece.place])
        }
        asked = vector(query, DIMENSIONS)
        dense = ranked({name: float((vector(piece.text, DIMENSIONS) * asked).sum()) for name, piece in left.items()})
        # The statistics are those of all that the caller may see of the version.
        opened = sorted(name for name, piece in chunks.items() if wanted.may_see(self.access[piece.place]))
        scores = bm25({name: chunks[name].text for name in opened}, query)
        words = ranked({name: score for name, score in scores.items() if name in left})
        sides = {"dense": dense, "bm25": words, "hybrid": fuse(dense, words)}
        return {mode: folded(ranking, left) for mode, ranking in sides.items()}  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Selection:
    """A search's filters and groups, and what they select."""

    filters: Filters
    groups: Sequence[str] | None

    def selects(self, piece: Piece, paper: Paper) -> bool:
        return all(
            any(self._holds(key, value, piece, paper) for value in values) for key, values in self.filters.items()
        )

    def _holds(self, key: str, value: str, piece: Piece, paper: Paper) -> bool:
        if key == "source":
            return piece.place[0] == value
        if key == "uri":
            return matches(value, piece.place[1])
        if key == "section":
            return any(matches(value, heading) for heading in piece.section)
        if key == "media_type":
            (media_type,) = (name for name in piece.facets if name.startswith("media_type="))
            return matches(value, media_type.removeprefix("media_type="))
        if key.startswith("modified_"):
            moment = datetime.fromisoformat(value).replace(tzinfo=UTC)
            if paper.modified_at is None:
                return False
            return paper.modified_at >= moment if key == "modified_after" else paper.modified_at < moment
        return paper.metadata.get(key.removeprefix("metadata.")) == value

    def may_see(self, access: tuple[str, ...] | None) -> bool:
        return self.groups is None or access is None or bool(set(access) & set(self.groups))


def matches(glob: str, word: str) -> bool:
    """`*` is any characters, `?` is one, all else is itself."""
    if not glob:
        return not word
    if glob[0] == "*":
        return any(matches(glob[1:], word[start:]) for start in range(len(word) + 1))
    return bool(word) and glob[0] in ("?", word[0]) and matches(glob[1:], word[1:])
