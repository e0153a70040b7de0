"""BM25 scores are rank_bm25's with Lucene's idf, over the chunks that lived at each version of a real history."""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_model import DIMENSIONS, History, Piece, bm25, folded, ranked
from workbench import Workbench, fill

import kb
from kb.search.query import MOST_HITS

pytestmark = pytest.mark.usefixtures("means")

CRANFIELD = Path(__file__).parents[2] / "shared" / "data" / "cranfield"
CLOSE = 1e-6

Documents = dict[str, str]


def lines(name: str) -> Iterator[dict[str, str]]:
    return map(json.loads, (CRANFIELD / name).read_text("utf-8").splitlines())


@cache
def abstracts() -> list[str]:
    return [f"{found['title']}\n\n{found['text']}\n" for found in lines("corpus.jsonl") if found["text"]][:260]


QUERIES = [found["text"] for found in lines("queries.jsonl")][:60]
WORDS = sorted({word for query in QUERIES for word in query.split()})


def some(numbers: range, wing: str = "wing") -> Documents:
    """Abstracts by their numbers, in folders of ten; another word for `wing` makes others of them."""
    return {f"{number // 10}/{number}.txt": abstracts()[number].replace("wing", wing) for number in numbers}


STATES: list[dict[str, Documents]] = [
    {"papers": some(range(160))},
    {"papers": some(range(160)), "more": some(range(150, 260))},
    {"papers": some(range(40, 160)), "more": some(range(150, 260))},
    {"papers": some(range(40, 100), "sail") | some(range(120, 160)), "more": some(range(150, 260))},
    {"papers": some(range(3)), "more": some(range(200, 260))},
    {"papers": some(range(160)), "more": some(range(200, 260))},
]
"""What the two sources hold, one state after the other: with additions, deletions, edits and a return."""


class Library:
    """The knowledge base of these states, and the model of it."""

    def __init__(self, path: Path) -> None:
        self.bench = Workbench(path, DIMENSIONS)
        self.history = History()
        folders = {name: self.bench.add_folder(name) for name in ("papers", "more")}
        for state in STATES:
            for name, folder in folders.items():
                wanted = state.get(name, {})
                for file in [
                    file for file in folder.rglob("*.txt") if file.relative_to(folder).as_posix() not in wanted
                ]:
                    file.unlink()
                fill(folder, wanted)
                published = self.bench.sync(name)[0].published
                assert len(published) == self.history.publish(name, wanted)
        self.base = kb.open(self.bench.home.path)

    def scores(self, version: int, query: str, wanted: "Selection") -> dict[str, float]:
        """The reference: the statistics are those of the whole version, whatever the filters leave of it."""
        chunks = self.history.at(version).chunks
        scores = bm25({name: chunks[name].text for name in sorted(chunks)}, query)
        return {name: score for name, score in scores.items() if wanted.selects(chunks[name])}


class Selection:
    """A search's filters, and what they select."""

    def __init__(self, **filters: list[str]) -> None:
        self.filters: Mapping[str, list[str]] = filters

    def __repr__(self) -> str:
        return f"Selection({self.filters})"

    def selects(self, piece: Piece) -> bool:
        source, uri = piece.place
        return source in self.filters.get("source", [source]) and any(
            fnmatchcase(uri, glob) for glob in self.filters.get("uri", ["*"])
        )


EVERYTHING = Selection()
SELECTIONS = [
    EVERYTHING,
    Selection(source=["papers"]),
    Selection(source=["papers", "more"], uri=["1*"]),
    Selection(uri=["?/*", "2?/*4.txt"]),
]
VERSIONS = range(1, 8)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library(tmp_path_factory.mktemp("library"))
    yield made
    made.base.close()
    made.bench.close()


def check(library: Library, version: int, query: str, wanted: Selection) -> int:
    """Compares both paths with the reference; returns how many chunks it scores."""
    chunks = library.history.at(version).chunks
    selected = {name: piece for name, piece in chunks.items() if wanted.selects(piece)}
    expected = folded(ranked(library.scores(version, query, wanted)), selected)
    exact, fast = (
        library.base.search(query, as_of=version, k=MOST_HITS, mode="bm25", exact=exact, filters=wanted.filters)
        for exact in (True, False)
    )
    found = {hit.chunk_id: hit.score for hit in exact}
    assert found == pytest.approx(dict(expected), abs=CLOSE)
    assert [hit.score for hit in exact] == sorted(found.values(), reverse=True)
    assert {hit.chunk_id: hit.score for hit in fast} == pytest.approx(found, abs=CLOSE)
    assert [hit.chunk_id for hit in fast] == [hit.chunk_id for hit in exact]
    # With less asked for there are fewer candidates than matches.
    few = library.base.search(query, as_of=version, mode="bm25", filters=wanted.filters)
    assert [(hit.chunk_id, hit.score) for hit in few] == [(hit.chunk_id, hit.score) for hit in fast[:10]]
    return len(expected)


def test_the_history_is_what_it_claims_to_be(library: Library) -> None:
    assert len(library.history.versions) == VERSIONS[-1]
    totals = [snapshot.chunks.total for snapshot in reversed(library.base.log())]
    assert totals == [len(library.history.at(version).chunks) for version in VERSIONS]
    assert max(totals) > 1.5 * min(totals)


@pytest.mark.parametrize("version", VERSIONS)
def test_questions_of_the_collection(library: Library, version: int) -> None:
    assert all(check(library, version, query, EVERYTHING) for query in QUERIES[version::10])


@given(
    version=st.sampled_from(VERSIONS),
    words=st.lists(st.sampled_from([*WORDS, "zeppelin"]), min_size=1, max_size=8),
    again=st.integers(1, 3),
    wanted=st.sampled_from(SELECTIONS),
)
@settings(max_examples=settings().max_examples // 2)
def test_any_words_any_filters(library: Library, version: int, words: list[str], again: int, wanted: Selection) -> None:
    check(library, version, " ".join(words * again), wanted)


def test_a_repeated_term_counts_each_time(library: Library) -> None:
    once, thrice = (library.base.search(query, k=5, mode="bm25", exact=True) for query in ("flow", "flow flow flow"))
    assert [hit.chunk_id for hit in thrice] == [hit.chunk_id for hit in once]
    assert [hit.score for hit in thrice] == pytest.approx([3 * hit.score for hit in once])
    assert check(library, 4, "flow flow flow over a wing wing", EVERYTHING)


def test_a_word_that_only_the_past_held(library: Library) -> None:
    counts = [check(library, version, "sail", EVERYTHING) for version in VERSIONS]
    assert [bool(count) for count in counts] == [False] * 3 + [True] + [False] * 3


def test_compaction_moves_no_score(library: Library) -> None:
    library.bench.compact()
    for version in VERSIONS:
        assert check(library, version, "flow over a swept wing at high speed", EVERYTHING)


def test_a_version_of_nothing_but_stop_words_scores_nothing(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, DIMENSIONS)
    fill(bench.add_folder("docs"), {"a.txt": "of the and"})
    bench.sync("docs")
    with kb.open(bench.home.path) as base:
        for exact in (True, False):
            assert not base.search("the flow", mode="bm25", exact=exact).hits
            assert not base.search("the", mode="bm25", exact=exact).hits
    bench.close()
