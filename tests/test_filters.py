"""Filters and access lists leave exactly what they name, at every version, on both paths: held against dictionaries."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_model import DIMENSIONS, Piece, Place, bm25, pieces, ranked, vector
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from indexer.plan import Foreseen, plan_source
from kb.errors import UsageError
from kb.nouns import Mode
from kb.search.fusion import fuse
from kb.search.search import MOST_HITS

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
        # The statistics are those of the whole version.
        scores = bm25({name: chunks[name].text for name in sorted(chunks)}, query)
        words = ranked({name: score for name, score in scores.items() if name in left})
        return {"dense": dense, "bm25": words, "hybrid": fuse(dense, words)}


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


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


MOMENTS = [(START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S") for hours in range(0, STEPS * 24, 6)]
DATES = [moment[:10] for moment in MOMENTS[::4]]
filters = st.fixed_dictionaries(
    {},
    optional={
        "source": some(*SHELVES),
        "uri": some("*", "*.md", "deep/*", "?.*", "50%_*", "a.md", "none"),
        "media_type": some("text/*", "text/markdown", "*plain", "image/png", "*"),
        "section": some(*HEADINGS, "Re*", "Re[*", "*'*", "?eriod", "*", "never", "a=?"),
        "modified_after": some(*MOMENTS, *DATES),
        "modified_before": some(*MOMENTS, *DATES),
        "lang": some(*METADATA["lang"], "fr"),
        "team": some(*METADATA["team"]),
        "a=b": some(*METADATA["a=b"]),
        "metadata.source": some(*METADATA["source"]),
    },
).map(lambda found: dict(list(found.items())[:3]))
groups = st.none() | st.lists(st.sampled_from([*GROUPS, "others"]), max_size=2)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library(tmp_path_factory.mktemp("library"))
    yield made
    made.base.close()
    made.bench.close()


@settings(max_examples=settings().max_examples * 2)
@given(data=st.data(), filters=filters, groups=groups, query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
def test_both_paths_give_what_the_model_gives(
    library: Library, data: st.DataObject, filters: Filters, groups: Sequence[str] | None, query: list[str]
) -> None:
    version = data.draw(st.integers(1, len(library.versions)) | st.just(len(library.versions)))
    check(library, version, " ".join(query), Selection(filters, groups))


def check(library: Library, version: int, query: str, wanted: Selection) -> int:
    expected = library.expected(version, query, wanted)
    for exact in (True, False):
        for mode, ranking in expected.items():
            options: dict[str, Any] = {"filters": wanted.filters, "groups": wanted.groups, "exact": exact}
            found = library.base.search(query, as_of=version, k=MOST_HITS, mode=mode, **options)
            assert [hit.chunk_id for hit in found] == [name for name, _ in ranking]
            assert [hit.score for hit in found] == pytest.approx([score for _, score in ranking], abs=1e-6)
    return len(expected["dense"])


SINGLE: list[Filters] = [
    {"section": ["Refunds"]},
    {"section": ["Re[*"]},
    {"media_type": ["*plain"]},
    {"media_type": ["text/markdown"]},
    {"lang": ["de"]},
    {"a=b": ["c"]},
    {"metadata.source": ["docs"]},
    {"team": ["it's"]},
    {"modified_after": ["2024-01-04"]},
    {"modified_before": ["2024-01-04"]},
]


def test_every_filter_keeps_some_and_drops_some_at_some_version(library: Library) -> None:
    """What the property above rests on; and compaction moves no answer."""
    library.bench.compact()
    everything = Selection({}, None)
    totals = {version: check(library, version, "goods", everything) for version in range(1, len(library.versions) + 1)}
    assert len(totals) > 6
    for wanted in [*(Selection(one, None) for one in SINGLE), *(Selection({}, one) for one in ([], ["staff"]))]:
        kept = [check(library, version, "goods", wanted) for version in totals]
        assert any(0 < count < total for count, total in zip(kept, totals.values(), strict=True)), wanted


def test_the_history_holds(library: Library) -> None:
    assert library.base.verify().findings == ()


# What is refused

REFUSED: dict[str, tuple[Any, Sequence[str]]] = {
    "unknown": ({"langg": "de"}, ("'langg'", "did you mean 'lang'")),
    "unknown and far": ({"zzzzzz": "de"}, ("'zzzzzz'", "lang", "modified_after", "metadata.source")),
    "no date": ({"modified_after": "yesterday"}, ("'modified_after'", "'yesterday'", "2024-05-01")),
    "no such date": ({"modified_before": "2024-02-30"}, ("'modified_before'", "'2024-02-30'")),
    "a number": ({"modified_after": "20240101"}, ("'modified_after'", "'20240101'")),
    "no value": ({"lang": []}, ("'lang'", "no value")),
    "no text": ({"lang": [7]}, ("'lang'", "7")),
    "no Unicode": ({"section": ["\udcff"]}, ("'section'", "Unicode")),
}


@pytest.mark.parametrize(("wrong", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(library: Library, wrong: Any, words: Sequence[str]) -> None:
    with pytest.raises(UsageError) as caught:
        library.base.search("goods", filters=wrong)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [[""], [" "], "", ["\udcff"], ["a\nb"]])
def test_a_group_without_a_name_is_refused(library: Library, wrong: Any) -> None:
    with pytest.raises(UsageError, match="a group needs a name"):
        library.base.search("goods", groups=wrong)


def test_a_lone_value_is_a_list_of_one(library: Library) -> None:
    asked = library.base.search("goods", filters={"lang": "de"}, groups="staff")
    assert [hit.chunk_id for hit in asked] == [
        hit.chunk_id for hit in library.base.search("goods", filters={"lang": ["de"]}, groups=["staff"])
    ]
    assert asked.hits


# What a change of facets costs


def sections(base: kb.KnowledgeBase, version: int, heading: str) -> set[str]:
    return {hit.chunk_id for hit in base.search("goods", as_of=version, k=100, filters={"section": heading})}


def test_a_renamed_heading_renews_the_rows_beneath_and_embeds_its_own_passage_alone(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, DIMENSIONS)
    bench.add_unregistered("shelf")
    chance = random.Random(3)
    parts = [" ".join(chance.choices(WORDS, k=150)) for _ in range(6)]
    text = "\n\n".join(["# Refunds", *(f"## Part {number}\n\n{part}" for number, part in enumerate(parts))])
    bench.sync_with("shelf", Shelf({"a.md": Paper(text)}))
    renamed = Shelf({"a.md": Paper(text.replace("# Refunds", "# Returns", 1))})
    made = bench.embedded_by(lambda: bench.sync_with("shelf", renamed))
    with kb.open(bench.home.path) as base:
        second, first = base.log()
        assert len(made) == second.chunks.embedded == second.chunks.added == second.chunks.removed == 1
        assert first.chunks.total == second.chunks.total == 6
        assert len(sections(base, 1, "Refunds")) == len(sections(base, 2, "Returns")) == first.chunks.total
        assert len(sections(base, 1, "Refunds") & sections(base, 2, "Returns")) == first.chunks.total - 1
        assert not sections(base, 1, "Returns")
        assert not sections(base, 2, "Refunds")
        kept = next(hit for hit in base.search("goods", as_of=1, k=100) if hit.provenance.section[-1] == "Part 3")
        assert (kept.provenance.since, kept.provenance.until) == (1, 2)
        assert base.verify().findings == ()
        assert [change.change for change in base.diff(1, 2, level="chunks").chunks] == ["removed", "added"]
    bench.close()


def test_changed_metadata_embeds_nothing_and_is_foreseen(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, DIMENSIONS)
    bench.add_unregistered("shelf")
    paper = Paper("# Refunds\n\nThirty days.", metadata={"lang": "en"})
    bench.sync_with("shelf", Shelf({"a.md": paper}))
    changed = Shelf({"a.md": replace(paper, metadata={"lang": "de", "new": "\0"})})
    with kb.open(bench.home.path) as base:
        plan = plan_source(bench.session(), base.source("shelf"), changed, Foreseen())
        assert (plan.snapshots, plan.changed, plan.embed, plan.reuse) == (1, 1, 0, 0)
        assert bench.embedded_by(lambda: bench.sync_with("shelf", changed)) == []
        assert [len(base.search("days", as_of=version, filters={"lang": "de"})) for version in (1, 2)] == [0, 1]
        assert [len(base.search("days", as_of=version, filters={"lang": "en"})) for version in (1, 2)] == [1, 0]
        assert len(base.search("days", filters={"new": "\0"})) == 1
    bench.close()
