"""Term statistics: what a version sums up to does not hang on which deltas upkeep has sorted in."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.catalog import Catalog, terms

WORDS = "abcde"
DELTAS = st.dictionaries(st.sampled_from(WORDS), st.integers(-3, 3))


@settings(max_examples=30, deadline=None)
@given(st.lists(DELTAS, min_size=1, max_size=50), st.lists(st.integers(0, 40), max_size=3))
def test_sums_are_the_same_before_and_after(published: list[dict[str, int]], kept_apart: list[int]) -> None:
    with TemporaryDirectory() as directory:
        catalog = Catalog(f"sqlite:///{Path(directory) / 'catalog.sqlite'}", sync=False)
        catalog.migrate()
        with catalog.writing() as connection:
            for version, deltas in enumerate(published, 1):
                terms.add_deltas(connection, version, deltas)
        _compare(catalog, published)
        for recent in kept_apart:
            with catalog.writing() as connection:
                terms.settle(connection, recent)
            _compare(catalog, published)
        catalog.close()


def test_moves_until_few_versions_stand_apart(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", sync=False)
    catalog.migrate()
    with catalog.writing() as connection:
        for version in range(1, 101):
            terms.add_deltas(connection, version, {"a": 1})
        moved = [terms.settle(connection) for _ in range(6)]
    assert moved == [True] * 4 + [False] * 2
    catalog.close()


def _compare(catalog: Catalog, published: list[dict[str, int]]) -> None:
    sums: list[Counter[str]] = [Counter()]
    for deltas in published:
        sums.append(Counter(sums[-1]))
        sums[-1].update(deltas)
    with catalog.reading() as connection:
        for version, summed in enumerate(sums):
            expected = {word: count for word, count in summed.items() if count}
            assert terms.frequencies(connection, version, WORDS) == expected
        between = Counter(sums[-1])
        between.subtract(sums[len(sums) // 2])
        changed = {word: count for word, count in between.items() if count}
        assert terms.deltas_between(connection, len(sums) // 2, len(published)) == changed
