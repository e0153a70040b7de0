"""Bytes on disk, once what nobody can need any more is gone."""

import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kb.home import Home
from kb.store import Store
from kb.store.upkeep import NONE


@dataclass(frozen=True, slots=True)
class Sizes:
    """A knowledge base's bytes by what they hold."""

    chunks: int
    texts: int
    catalog: int

    @property
    def total(self) -> int:
        return self.chunks + self.texts + self.catalog

    def less(self, other: "Sizes") -> "Sizes":
        return Sizes(self.chunks - other.chunks, self.texts - other.texts, self.catalog - other.catalog)


def settled(home: Home) -> Sizes:
    """The sizes after upkeep, once its grace period is over. Nobody may read or write meanwhile."""
    with warnings.catch_warnings():
        # LanceDB warns that readers of old versions would fail: there are none.
        warnings.simplefilter("ignore", UserWarning)
        Store(home.store).upkeep(NONE, timedelta(0))
    checkpointed(home)
    parts = {path: bytes_under(path) for path in home.store.iterdir()}
    chunks = sum(size for path, size in parts.items() if path.name.startswith("chunks_"))
    catalog = sum(path.stat().st_size for path in home.path.glob("catalog.sqlite*"))
    return Sizes(chunks, sum(parts.values()) - chunks, catalog)


def checkpointed(home: Home) -> None:
    """Brings what waits in the catalog's log into its file."""
    connection = sqlite3.connect(home.path / "catalog.sqlite")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def bytes_under(directory: Path) -> int:
    return sum(path.stat().st_size for path in _files(directory))


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())
