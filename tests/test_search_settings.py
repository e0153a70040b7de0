"""Settings of a search: copies folded, a budget, sections, a bound on each document; whatever is set, hits hold."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_model import DIMENSIONS, TOKENISER, Piece, copies, pieces, sha256
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from kb.answers import Answer
from kb.errors import UsageError
from kb.layout import chunk_ids
from kb.nouns import Hit, Provenance
from kb.search.query import MOST_HITS, MOST_TOKENS

WORDS = ["refund", "period", "customer", "goods", "thirty", "days", "written", "notice", "owner", "of", "the"]
GROUPS = (None, [], ["staff"], ["staff", "legal"])


def papers() -> dict[str, Paper]:
    """Long and short ones, with sections and without, and copies: whole, in part, within a document, and hidden."""
    chance = random.Random(11)

    def prose(words: int) -> str:
        return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."

    shared = prose(150)
    sections = "\n\n".join(f"## Part {number}\n\n{prose(170)}\n\n{prose(120)}" for number in range(4))
    long = f"# Handbook\n\n{prose(60)}\n\n{sections}"
    made = {
        "handbook.md": long,
        "copy/handbook.md": long,
        "plain.txt": "\n\n".join(prose(110) for _ in range(24)),
        "again.md": "\n\n".join(["# Again", prose(90), "## One", shared, "## Two", shared, "## Three", prose(130)]),
        "short.md": f"# Short\n\n{prose(30)}",
        "hidden.md": f"# Other\n\n{prose(80)}\n\n## One\n\n{shared}",
        "staff.md": long,
    }
    access = {"hidden.md": ("legal",), "staff.md": ("staff",)}
    return {uri: Paper(text, access=access.get(uri)) for uri, text in made.items()}


PAPERS = papers()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kb.KnowledgeBase]:
    bench = Workbench(tmp_path_factory.mktemp("settings"), DIMENSIONS)
    bench.add_unregistered("shelf")
    bench.sync_with("shelf", Shelf(PAPERS))
    # The head has one document less: what is asked of the first version must not change.
    bench.sync_with("shelf", Shelf({uri: paper for uri, paper in PAPERS.items() if uri != "short.md"}))
    with kb.open(bench.home.path) as opened:
        yield opened
    bench.close()


def visible(groups: Sequence[str] | None) -> dict[str, Piece]:
    """The chunks of the first version that members of the groups may see, by id."""
    seen = {
        uri: paper for uri, paper in PAPERS.items() if groups is None or not paper.access or {*paper.access} & {*groups}
    }
    found = (pieces(("shelf", uri), paper.text) for uri, paper in seen.items())
    return {piece.chunk_id: piece for part in found for piece in part}


def spans(places: Sequence[Provenance]) -> set[tuple[str, int, int]]:
    return {(place.uri, place.start, place.end) for place in places}


settings = st.fixed_dictionaries(
    {"k": st.integers(1, 12) | st.just(MOST_HITS), "groups": st.sampled_from(GROUPS)},
    optional={
        "mode": st.sampled_from(["hybrid", "dense", "bm25"]),
        "budget_tokens": st.integers(1, 400) | st.integers(400, 20_000),
        "expand": st.just("section"),
        "per_document": st.integers(1, 4),
        "filters": st.sampled_from([{"uri": "*handbook.md"}, {"section": "One"}]),
    },
)
queries = st.lists(st.sampled_from(WORDS[:-2]), min_size=1, max_size=4).map(" ".join)


@given(query=queries, asked=settings)
def test_whatever_the_settings(base: kb.KnowledgeBase, query: str, asked: dict[str, Any]) -> None:
    exact, default = (base.search(query, as_of=1, exact=exact, **asked) for exact in (True, False))
    assert [essence(hit) for hit in default] == [essence(hit) for hit in exact]
    check(base, default, asked)
    plain = {key: asked[key] for key in asked.keys() & {"mode", "groups", "filters"}}
    ranked = base.search(query, as_of=1, k=MOST_HITS, **plain).hits
    chosen = bounded(ranked, asked.get("per_document"))[: asked["k"]]
    if not asked.keys() & {"budget_tokens", "expand"}:
        assert [essence(hit) for hit in default] == [essence(hit) for hit in chosen]
    elif "budget_tokens" not in asked:
        assert {chunk for hit in default for chunk in hit.chunks} >= {hit.chunk_id for hit in chosen}
        kept = spans([place for hit in default for place in (hit.provenance, *hit.also)])
        within = {(uri, start, end) for hit in chosen for uri, start, end in spans([hit.provenance, *hit.also])}
        assert all(any(u == uri and s <= start and end <= e for u, s, e in kept) for uri, start, end in within)


def essence(hit: Hit) -> tuple[object, ...]:
    return hit.chunks, hit.chunk_id, hit.text, round(hit.score, 6), hit.provenance, hit.also


def bounded(hits: Sequence[Hit], most: int | None) -> list[Hit]:
    seen: Counter[str] = Counter()
    kept = []
    for hit in hits:
        seen[hit.document_id] += 1
        kept += [hit] if most is None or seen[hit.document_id] <= most else []
    return kept


def check(base: kb.KnowledgeBase, answer: Answer, asked: Mapping[str, Any]) -> None:
    """Every hit is a stretch of its document, proven; together they keep to the settings."""
    seen = visible(asked["groups"])
    texts = copies(seen.values())
    assert [hit.rank for hit in answer] == list(range(1, len(answer) + 1))
    for hit in answer:
        place = hit.provenance
        document = base.document(f"shelf:{place.uri}", as_of=1)
        layout = base.store.texts.get([document.version.layout])[document.version.layout]
        ids = chunk_ids(hit.document_id, layout.cuts)
        first, last = ids.index(hit.chunks[0]), ids.index(hit.chunks[-1])
        assert hit.text == document.text[place.start : place.end]
        assert hit.chunks == ids[first : last + 1]
        assert (place.start, place.end) == (layout.passages[first].start, layout.passages[last].end)
        assert hit.chunk_id in hit.chunks
        assert {*hit.chunks} <= seen.keys()
        assert place.text_sha256 == sha256(hit.text)
        assert place.since <= 1 < (place.until or 9)
        assert all(seen[chunk].section[: len(place.section)] == place.section for chunk in hit.chunks)
        elsewhere = {
            (piece.place[1], piece.start, piece.end) for chunk in hit.chunks for piece in texts[seen[chunk].text]
        }
        assert spans(hit.also) <= elsewhere
        assert list(hit.also) == sorted(hit.also, key=lambda other: (other.source, other.uri, other.start))
        if len(hit.chunks) == 1 and "filters" not in asked:
            assert spans([place, *hit.also]) == elsewhere
    check_together(answer, asked)


def check_together(answer: Answer, asked: Mapping[str, Any]) -> None:
    for uri, count in Counter(hit.provenance.uri for hit in answer).items():
        own = sorted((hit.provenance for hit in answer if hit.provenance.uri == uri), key=lambda place: place.start)
        assert all(one.end <= other.start for one, other in pairwise(own))
        assert count <= asked.get("per_document", MOST_HITS)
        if asked.keys() & {"budget_tokens", "expand"}:
            assert [hit.provenance for hit in answer if hit.provenance.uri == uri] == own
    if "budget_tokens" in asked:
        assert sum(len(TOKENISER.offsets(hit.text)) for hit in answer) <= asked["budget_tokens"]
    else:
        assert len(answer) <= asked["k"]


# What each of them does


def test_copies_are_one_hit_that_names_all_that_may_be_seen(base: kb.KnowledgeBase) -> None:
    for groups in GROUPS:
        seen = visible(groups)
        for exact in (True, False):
            found = base.search("refund period", as_of=1, k=MOST_HITS, exact=exact, groups=groups)
            every = [place for hit in found for place in (hit.provenance, *hit.also)]
            assert len(every) == len(seen)
            assert spans(every) == {(piece.place[1], piece.start, piece.end) for piece in seen.values()}
            assert len(found) == len({hit.text for hit in found}) < len(seen)


def test_copies_beyond_what_a_side_names_leave_k(tmp_path: Path) -> None:
    """Five hundred copies of the best text stand before the others, on both paths."""
    bench = Workbench(tmp_path, DIMENSIONS)
    bench.add_unregistered("shelf")
    many = {f"{number:03}.md": Paper("refund period") for number in range(500)}
    others = {f"other {number}.md": Paper(f"refund period of {number} days") for number in range(6)}
    bench.sync_with("shelf", Shelf(many | others))
    with kb.open(bench.home.path) as base:
        for exact in (True, False):
            found = base.search("refund period", k=5, exact=exact)
            assert [len(hit.also) for hit in found] == [499, 0, 0, 0, 0]
            assert found[0].provenance.uri == "000.md"
            assert len(base.search("refund period", k=3, exact=exact, per_document=1)) == 3
    bench.close()


def test_a_bound_on_each_document_leaves_k_where_there_are_enough(base: kb.KnowledgeBase) -> None:
    for exact in (True, False):
        found = base.search("refund period", as_of=1, k=4, per_document=1, groups=[], exact=exact)
        assert len({hit.document_id for hit in found}) == len(found) == 4


def test_a_budget_takes_the_best_that_fit(base: kb.KnowledgeBase) -> None:
    best = base.search("refund period", as_of=1, k=30).hits
    lengths = [len(TOKENISER.offsets(hit.text)) for hit in best]
    found = base.search("refund period", as_of=1, k=30, budget_tokens=lengths[0])
    assert found[0].chunk_id == best[0].chunk_id
    assert not base.search("refund period", as_of=1, k=30, budget_tokens=1).hits
    whole = base.search("refund period", as_of=1, k=MOST_HITS, budget_tokens=MOST_TOKENS)
    assert len(whole) == len({hit.document_id for hit in whole}), "all neighbours are joined"
    assert whole[0].score == best[0].score


def test_a_section_is_widened_to_its_neighbours(base: kb.KnowledgeBase) -> None:
    (one,) = base.search("refund", as_of=1, k=1, filters={"section": "Part 2"}, expand="section")
    assert one.provenance.section == ("Handbook", "Part 2")
    assert one.text.startswith("## Part 2")
    (plain,) = base.search("refund", as_of=1, k=1, filters={"uri": "plain.txt"}, expand="section")
    assert 17 <= len(plain.chunks) <= 33 or plain.provenance.start == 0
    fitting = base.search("refund", as_of=1, k=1, filters={"uri": "plain.txt"}, expand="section", budget_tokens=250)
    assert len(fitting[0].chunks) == 1, "a section that does not fit is left for the passage alone"


def test_the_same_today_and_after_later_versions(base: kb.KnowledgeBase) -> None:
    short = [base.search("refund", as_of=as_of, k=MOST_HITS, expand="section") for as_of in (1, "head")]
    assert [any(hit.provenance.uri == "short.md" for hit in found) for found in short] == [True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget_tokens": 0},
        {"budget_tokens": MOST_TOKENS + 1},
        {"expand": "page"},
        {"per_document": 0},
        {"per_document": -1},
        {"rerank": "no/such/place"},
        {"rerank": ""},
    ],
    ids=str,
)
def test_refused(base: kb.KnowledgeBase, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        base.search("refund", **wrong)
    assert "\n" not in str(caught.value)


def test_each_step_is_timed(base: kb.KnowledgeBase) -> None:
    found = base.search("refund", expand="section")
    assert list(found.timings) == ["resolve", "embed", "find", "score", "place", "assemble"]
    assert all(took >= 0 for took in found.timings.values())
    assert sum(found.timings.values()) == pytest.approx(found.took_ms, abs=0.01)
