"""A plan foresees what the sync does, also where the pipeline changed since."""

import json
import sqlite3
from pathlib import Path

import pytest

from indexer.creation import create
from indexer.writer import Writer
from kb.pipeline import Pipeline


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two sources that share a text, synced once."""
    create(tmp_path / ".kb", "hashing:64")
    writer = Writer(tmp_path / ".kb")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.md").write_text(f"What only {name} says.\n")
        (tmp_path / name / "shared.md").write_text("What both say.\n")
        writer.add_source(name, "folder", {"path": str(tmp_path / name)})
    return tmp_path / ".kb"


def foreseen(home: Path) -> tuple[int, int]:
    plans = Writer(home).plan()
    return sum(plan.snapshots for plan in plans), sum(plan.embed for plan in plans)


def done(home: Path) -> tuple[int, int]:
    report = Writer(home).sync()
    return len(report.snapshots), sum(snapshot.chunks.embedded for snapshot in report.snapshots)


def test_a_text_of_two_sources_is_foreseen_once(home: Path) -> None:
    assert foreseen(home) == done(home) == (2, 3)
    assert foreseen(home) == done(home) == (0, 0)


def test_a_change_of_model_is_foreseen(home: Path) -> None:
    done(home)
    config = home / "config.toml"
    config.write_text(config.read_text().replace("hashing:64", "hashing:32"))
    assert foreseen(home) == done(home) == (1, 3)
    assert foreseen(home) == (0, 0)


def test_a_new_chunker_is_named_by_the_snapshot_that_it_makes(home: Path) -> None:
    done(home)
    with sqlite3.connect(home / "catalog.sqlite") as catalog:
        (parts,) = catalog.execute("SELECT parts FROM pipeline").fetchone()
        older = json.loads(parts) | {"chunker": "an older one"}
        fingerprint = Pipeline.of(older).fingerprint
        catalog.execute("INSERT INTO pipeline VALUES (?, ?)", (fingerprint, json.dumps(older)))
        catalog.execute("UPDATE source SET fingerprint = ? WHERE name = 'a'", (fingerprint,))
        catalog.execute("UPDATE document SET fingerprint = ? WHERE source = 'a'", (fingerprint,))
    report = Writer(home).sync()
    assert [(snapshot.source, snapshot.message) for snapshot in report.snapshots] == [
        ("a", "pipeline changed: chunker")
    ]
    assert report.snapshots[0].chunks.embedded == 0


def test_a_source_that_cannot_be_set_up_keeps_no_other_from_its_plan(home: Path) -> None:
    Writer(home).add_source("c", "git", {"url": "https://u:${NOT_SET_ANYWHERE}@127.0.0.1:1/x.git"})
    plans = Writer(home).plan()
    assert [plan.source for plan in plans] == ["a", "b", "c"]
    assert "NOT_SET_ANYWHERE" in str(plans[2].refusal)
