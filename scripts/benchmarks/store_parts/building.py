"""Making everything that is measured, once: the knowledge base with its history, and every rival from the same rows."""

import gc
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from indexer.commit import Commit
from kb.store.chunks import ChunkTable
from kb.store.conditions import alive
from scripts.benchmarks.store_parts.corpus import Corpus, Counts
from scripts.benchmarks.store_parts.disk import Sizes, bytes_under, settled
from scripts.benchmarks.store_parts.made import DIMENSIONS, MadeEmbedder
from scripts.benchmarks.store_parts.publishing import PIPELINE, Publisher, Spent
from scripts.benchmarks.store_parts.rivals import (
    OPTIMISE_EVERY,
    CheckoutPerSnapshot,
    Plain,
    VectorIndex,
    VersionColumn,
    vector_index_of,
    with_slots,
)

_RECORD: Final = "built.json"


@dataclass(frozen=True, slots=True)
class Places:
    """Where each design lies in the benchmark's directory."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "kb"

    @property
    def plain(self) -> Path:
        return self.root / "plain"

    @property
    def first_copy(self) -> Path:
        return self.root / "copy"

    def rival(self, name: str) -> Path:
        return self.root / name


@dataclass(frozen=True, slots=True)
class Built:
    """What was learned while building; lists are in the order of the commits after the first."""

    size: int
    commits: int
    fill: Spent
    spent: list[Spent]
    rival_ms: dict[str, list[float]]
    lance_versions: dict[str, list[int]]
    """LanceDB's version of each of ours, for the designs that keep one."""
    changed: list[int]
    payload: float
    """Mean bytes of a changed chunk's text, tokens and vector."""
    filled: Sizes
    final: Sizes
    rival_bytes: dict[str, int]
    copy_bytes: list[int]
    """Of full copies of the first and the newest version."""
    vector_index: str | None

    @property
    def head(self) -> int:
        return self.commits + 1

    @property
    def middle(self) -> int:
        """Half of the history, half way between two `optimize()` of the rival that does so."""
        return max(2, 1 + self.commits // 2 - OPTIMISE_EVERY // 2)

    @property
    def versions(self) -> dict[str, int]:
        return {"version 1": 1, "middle": self.middle, "head": self.head}


def build(places: Places, corpus: Corpus, commits: int, with_rivals: bool) -> Built:
    """Builds anew, or finds what was kept of the same size, commits and rivals."""
    kept = _kept(places, corpus.size, commits, with_rivals)
    if kept:
        return kept
    shutil.rmtree(places.root, ignore_errors=True)
    places.root.mkdir(parents=True)
    built = _Building(places, corpus, with_rivals).run(commits)
    (places.root / _RECORD).write_text(json.dumps(asdict(built)), "utf-8")
    return built


def texts_of(corpus: Corpus, counts: Counts, places: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Documents by their places, as `Publisher.publish` takes them."""
    return ((corpus.documents[place].uri, corpus.texts(corpus.documents[place], counts)) for place in places)


class _Building:
    def __init__(self, places: Places, corpus: Corpus, with_rivals: bool) -> None:
        self._places = places
        self._corpus = corpus
        self._counts = corpus.start()
        self._publisher = Publisher(places.home, MadeEmbedder())
        self._checkouts = {
            "checkout": CheckoutPerSnapshot(places.rival("checkout"), optimises=False),
            "checkout-optimised": CheckoutPerSnapshot(places.rival("checkout-optimised"), optimises=True),
        }
        self._column = VersionColumn(places.rival("column"))
        if not with_rivals:
            self._checkouts.clear()
        self._with_rivals = with_rivals

    def run(self, commits: int) -> Built:
        _tell(f"filling {self._corpus.size:,} chunks")
        commit, fill = self._publisher.publish(texts_of(self._corpus, self._counts, range(len(self._corpus.documents))))
        filled = settled(self._publisher.home)
        index = vector_index_of(self._publisher.home.store, f"chunks_{PIPELINE.space}")
        self._fill_rivals(commit, index)
        first = self._copy(self._places.first_copy, 1, index)
        del commit
        # What the benchmark itself holds is not to be looked through while publishing is timed.
        gc.collect()
        gc.freeze()
        spent, payload = self._history(commits)
        final = settled(self._publisher.home)
        newest = self._copy(self._places.plain, commits + 1, index)
        self._publisher.close()
        rivals = [*self._checkouts, "column"] if self._with_rivals else []
        return Built(
            size=self._corpus.size,
            commits=commits,
            fill=fill,
            spent=spent,
            rival_ms=self._rival_ms(),
            lance_versions={name: rival.versions for name, rival in self._checkouts.items()},
            changed=[one.chunks for one in spent],
            payload=payload,
            filled=filled,
            final=final,
            rival_bytes={name: bytes_under(self._places.rival(name)) for name in rivals},
            copy_bytes=[first, newest],
            vector_index=index.kind if index else None,
        )

    def _history(self, commits: int) -> tuple[list[Spent], float]:
        spent, bytes_changed = [], 0
        for number in range(1, commits + 1):
            step = self._corpus.step(number)
            self._counts[step.slots] += 1
            commit, took = self._publisher.publish(texts_of(self._corpus, self._counts, list(step.edits)))
            spent.append(took)
            bytes_changed += _payload(commit.born)
            self._commit_rivals(commit)
            if number % 10 == 0:
                _tell(f"commit {number} of {commits}")
        return spent, bytes_changed / sum(one.chunks for one in spent)

    def _fill_rivals(self, commit: Commit, index: VectorIndex | None) -> None:
        rows = self._keyed(commit.born)
        for rival in self._checkouts.values():
            rival.fill(rows, index)
        if self._with_rivals:
            self._column.fill(commit.born, index)

    def _commit_rivals(self, commit: Commit) -> None:
        rows = self._keyed(commit.born)
        for rival in self._checkouts.values():
            rival.commit(rows)
        if self._with_rivals:
            self._column.commit(commit.born, commit.ended["chunk_id"].to_pylist(), commit.snapshot.version)

    def _keyed(self, born: pa.Table) -> pa.Table:
        documents = {document.uri: document for document in self._corpus.documents}
        slots: dict[tuple[str, str], int] = {}
        for uri in set(born["uri"].to_pylist()):
            document = documents[uri]
            texts = self._corpus.texts(document, self._counts)
            slots |= {(uri, text): slot for slot, text in enumerate(texts, document.first)}
        keys = zip(born["uri"].to_pylist(), born["text"].to_pylist(), strict=True)
        return with_slots(born, [str(slots[key]) for key in keys])

    def _copy(self, place: Path, version: int, index: VectorIndex | None) -> int:
        _tell(f"a fresh table of version {version}")
        rows = living_rows(self._publisher.table, version)
        Plain(place).fill(rows, index)
        return bytes_under(place)

    def _rival_ms(self) -> dict[str, list[float]]:
        times = {name: rival.spent_ms for name, rival in self._checkouts.items()}
        return times | ({"column": self._column.spent_ms} if self._with_rivals else {})


def living_rows(table: ChunkTable, version: int) -> pa.Table:
    """The version's rows as a user without a history would keep them."""
    columns = ["chunk_id", "uri", "text", "tokens", "vector"]
    return pa.Table.from_batches(list(table.scan(alive(version), columns))).select(columns)


def _kept(places: Places, size: int, commits: int, with_rivals: bool) -> Built | None:
    record = places.root / _RECORD
    if not record.is_file():
        return None
    values: dict[str, Any] = json.loads(record.read_text("utf-8"))
    values["fill"] = Spent(**values["fill"])
    values["spent"] = [Spent(**one) for one in values["spent"]]
    values |= {name: Sizes(**values[name]) for name in ("filled", "final")}
    built = Built(**values)
    if (built.size, built.commits) != (size, commits) or (with_rivals and not built.rival_bytes):
        return None
    return built if with_rivals else replace(built, rival_ms={}, lance_versions={}, rival_bytes={})


def _payload(born: pa.Table) -> int:
    texts = sum(len(text.encode()) for column in ("text", "tokens") for text in born[column].to_pylist())
    return texts + len(born) * DIMENSIONS * 4


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
