"""Filters and access lists leave exactly what they name, at every version, on both paths: held against dictionaries."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filters_model import GROUPS, HEADINGS, METADATA, SHELVES, START, STEPS, WORDS, Filters, Library, Selection
from hypothesis import given
from hypothesis import strategies as st
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from indexer.plan import Foreseen, plan_source
from kb.errors import UsageError
from kb.search.query import MOST_HITS

pytestmark = pytest.mark.usefixtures("means")


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
