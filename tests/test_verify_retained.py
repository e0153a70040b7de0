"""After a retention `verify` still finds whatever is altered in what is kept, and in the records of what is not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from retain_support import KEPT, opened
from tampering import change_catalog

import kb


@pytest.fixture
def home(thinned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(thinned, tmp_path / "home"))


def chunks(home: Path) -> Any:
    (table,) = (table for name, table in opened(home).items() if name != "texts")
    return table


def change(where: str, **values: Any) -> Callable[[Path], None]:
    def act(home: Path) -> None:
        assert chunks(home).update(where=where, values=values).rows_updated > 0

    return act


def drop(where: str) -> Callable[[Path], None]:
    def act(home: Path) -> None:
        assert chunks(home).delete(where).num_deleted_rows > 0

    return act


def turn_vector(home: Path) -> None:
    row = chunks(home).search().where(ENDED).limit(1).to_list()[0]
    change(ENDED, vector=[*row["vector"][1:], row["vector"][0]])(home)


def drop_text(home: Path) -> None:
    texts = opened(home)["texts"]
    assert texts.delete("text LIKE '%alpha is 4%'").num_deleted_rows == 1


# Of versions 1 to 8 there are 3, 7 and 8. In one.md `alpha is 3` lives from 3 to 4 and again from 8, `alpha is 4` from
# 4 to 8, `gamma 0` from 1 to 4 and again from 8.
ENDED = "uri = 'one.md' AND since = 4 AND text LIKE '%alpha is 4%'"
OLD = "uri = 'one.md' AND since = 1"

TAMPERED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a missing row": (drop(ENDED), "missing row", "docs:one.md"),
    "a missing row of the horizon": (drop(OLD), "missing row", "docs:one.md"),
    "a vector": (turn_vector, "changed rows", "version 7"),
    "a row's text": (change(OLD, text="other"), "changed text", "docs:one.md"),
    "a birth within the gap": (change(OLD, since=2), "changed rows", "version 3"),
    "another birth within the gap": (change(ENDED, since=5), "changed rows", "version 7"),
    "a birth past a kept version": (change(OLD, since=5), "missing row", "docs:one.md"),
    "an earlier birth": (change(ENDED, since=2), "strange row", "docs:one.md"),
    "an early death": (change(ENDED, until=6), "missing row", "docs:one.md"),
    "a later death": (change(OLD, until=8), "strange row", "docs:one.md"),
    "no death": (change(ENDED, until=2**31 - 1), "strange row", "docs:one.md"),
    "a text": (drop_text, "missing text", "docs:one.md"),
    "an expired record's message": (
        change_catalog("UPDATE snapshot SET message = 'never said' WHERE version = 2"),
        "edited snapshot",
        "version 2",
    ),
    "an expired record's count": (
        change_catalog("UPDATE snapshot SET chunks_total = 99 WHERE version = 5"),
        "edited snapshot",
        "version 5",
    ),
    "a missing expired record": (
        change_catalog("DELETE FROM snapshot WHERE version = 6"),
        "missing snapshot",
        "version 6",
    ),
    "a kept record's time": (
        change_catalog("UPDATE snapshot SET committed_at = '2001-01-01T00:00:00.000000Z' WHERE version = 7"),
        "edited snapshot",
        "version 7",
    ),
    "a version called back": (
        change_catalog("UPDATE snapshot SET expired_at = NULL WHERE version = 2"),
        "changed documents",
        "version 2",
    ),
    "a folded term": (
        change_catalog("UPDATE term SET delta = delta + 1 WHERE term = 'alpha' AND version = 3"),
        "changed statistics",
        "version 3",
    ),
    "missing terms": (change_catalog("DELETE FROM term WHERE version = 7"), "changed statistics", "version 7"),
    "a document's title": (
        change_catalog("UPDATE document SET title = 'Other' WHERE uri = 'one.md' AND since = 4"),
        "changed documents",
        "version 7",
    ),
    "a missing document": (
        change_catalog("DELETE FROM document WHERE uri = 'two.md'"),
        "changed documents",
        "version 3",
    ),
    "a document's life": (
        change_catalog("UPDATE document SET until = 6 WHERE uri = 'one.md' AND since = 4"),
        "changed documents",
        "version 7",
    ),
    "the time of a document whose version is whole": (
        change_catalog(
            "UPDATE document SET modified_at = '2001-01-01T00:00:00.000000Z' WHERE uri = 'one.md' AND since = 8"
        ),
        "changed documents",
        "version 8",
    ),
}


def test_what_was_not_altered_is_clean(home: Path) -> None:
    with kb.open(home) as base:
        for version in KEPT:
            found = base.verify(version)
            assert (found.findings, found.snapshots) == ((), version)
            assert found.expired == {3: 2, 7: 5, 8: 5}[version]


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found(home: Path, tampered: tuple[Callable[[Path], None], str, str]) -> None:
    tamper, what, subject = tampered
    tamper(home)
    with kb.open(home) as base:
        findings = base.verify().findings
    assert any(finding.what == what and subject in finding.subject for finding in findings), findings
