"""A catalog in PostgreSQL: the same program, the same answers, and the same digests as with SQLite."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workbench import fill

from indexer.creation import create
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.catalog import Catalog, names
from kb.errors import Expired, KBError
from kb.home import CONFIG, Home, open_home
from kb.retention import Policy

if TYPE_CHECKING:
    from postgres_support import Cluster


@pytest.fixture
def home(postgres: "Cluster", tmp_path: Path) -> Home:
    """A knowledge base whose catalog is in a database of its own."""
    name = f"catalog_{uuid.uuid4().hex[:8]}"
    postgres.execute(f"CREATE DATABASE {name}")
    made, _ = create(tmp_path / "home", "hashing:32")
    with (made.path / CONFIG).open("a", encoding="utf-8") as file:
        file.write(f'catalog = "{postgres.url(database=name).replace("postgresql:", "postgresql+psycopg:")}"\n')
    found = open_home(made.path)
    Catalog(found.catalog_url).migrate()
    return found


def history(home: Home, folder: Path) -> None:
    """Three versions of a folder."""
    folder.mkdir()
    writer = Writer(home)
    writer.add_source("docs", "folder", {"path": str(folder)})
    for text in ("Refunds take 14 days.", "Refunds take 30 days.", "Refunds take a year."):
        fill(folder, {"refunds.md": f"# Refunds\n\n{text}\n", "other.md": "# Other\n\nNothing of that.\n"})
        writer.sync()
    writer.catalog.close()


def test_it_answers_as_with_sqlite(home: Home, tmp_path: Path) -> None:
    history(home, tmp_path / "docs")
    twin, _ = create(tmp_path / "twin", "hashing:32")
    history_of_twin = tmp_path / "docs"
    with KnowledgeBase(home) as base, KnowledgeBase(twin) as other:
        writer = Writer(twin)
        writer.add_source("docs", "folder", {"path": str(history_of_twin)})
        writer.sync()
        assert base.log(1)[0].content_digest == other.log(1)[0].content_digest
        assert [hit.text for hit in base.search("refunds")] == [hit.text for hit in other.search("refunds")]
        assert "14 days" in base.search("refunds", as_of=1)[0].text
        assert "30 days" in base.document("docs:refunds.md", as_of="head~1").text
        assert [change.change for change in base.diff(1, 3).documents] == ["changed"]
        assert base.verify().findings == ()
        assert base.status().sources[0].documents == 2


def test_versions_expire_and_tags_hold(home: Home, tmp_path: Path) -> None:
    history(home, tmp_path / "docs")
    with KnowledgeBase(home) as base:
        base.tag("first", 1)
        Writer(home).retain(Policy(last=1, tagged=True))
        assert [snapshot.version for snapshot in base.log()] == [3, 1]
        with pytest.raises(Expired):
            base.search("refunds", as_of=2)
        assert base.verify().findings == ()


def test_a_reading_transaction_sees_one_state(home: Home, tmp_path: Path) -> None:
    history(home, tmp_path / "docs")
    catalog = Catalog(home.catalog_url)
    with catalog.reading() as connection:
        assert names.tags(connection) == {}
        with KnowledgeBase(home) as base:
            base.tag("first", 1)
        assert names.tags(connection) == {}
    with catalog.reading() as connection:
        assert names.tags(connection) == {"first": 1}
    catalog.close()


def test_a_server_that_is_gone_is_one_line_without_its_password(home: Home, postgres: "Cluster") -> None:
    with (home.path / CONFIG).open(encoding="utf-8") as file:
        lines = file.read().replace(f":{postgres.port}/", ":1/")
    (home.path / CONFIG).write_text(lines, encoding="utf-8")
    with pytest.raises(KBError) as caught:
        KnowledgeBase(open_home(home.path)).log()
    assert "n0t-t0-be-sh0wn" not in str(caught.value)
