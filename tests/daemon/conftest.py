"""A home for the daemon, and sources that a test directs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemon_support import STAGES, Stage, plug

from indexer.creation import create
from indexer.writer import Writer
from kb.home import Home

Stages = Callable[..., Stage]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create(tmp_path / "home", "hashing:32")[0]


@pytest.fixture
def writer(home: Home) -> Writer:
    return Writer(home)


@pytest.fixture
def stage(writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stages]:
    """Adds a source that holds these documents, and does as it is told."""
    plug(tmp_path / "plugged", monkeypatch)

    def make(name: str, **texts: str) -> Stage:
        made = STAGES[name] = Stage({f"{uri}.md": text for uri, text in texts.items()})
        writer.add_source(name, "staged", {"stage": name})
        return made

    yield make
    for made in STAGES.values():
        made.open.set()
    STAGES.clear()
