"""What the tests of whole syncs share: a writer that can be stopped, what a version answers, the command itself."""

import contextlib
import io
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import indexer.cli  # Adds the writing commands.
import indexer.report  # Before a process gives up the right to read it.
from indexer.extract.pool import ExtractionPool
from indexer.progress import Event, Observer
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.cli.frame import root, run
from kb.nouns import FOREVER, Snapshot
from scripts.stresses.parts.here import Here

KB: Final = Path(sys.executable).with_name("kb")
QUERY: Final = "alpha beta of the second gamma"
assert callable(indexer.cli.main)

# Writers


class QuickWriter(Writer):
    """The writer without processes of its own."""

    def _pool(self) -> ExtractionPool:
        return Here()


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th time that a step is about to be taken, counted from 1."""

    step: str
    subject: str
    time: int


def points(events: Iterable[Event]) -> list[Point]:
    """Each event as a point that another run of the same work passes, too."""
    passed: Counter[tuple[str, str]] = Counter()
    found = []
    for event in events:
        passed[event.step, event.subject] += 1
        found.append(Point(event.step, event.subject, passed[event.step, event.subject]))
    return found


def at(point: Point, act: Callable[[], object]) -> Observer:
    """An observer that acts when the point is reached."""
    passed = 0

    def observe(event: Event) -> None:
        nonlocal passed
        if (event.step, event.subject) == (point.step, point.subject):
            passed += 1
            if passed == point.time:
                act()

    return observe


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sync_until_killed(home: Path, point: Point) -> None:
    QuickWriter(home, at(point, kill_oneself)).sync(allow_deletes=True)


def sync(home: Path) -> None:
    QuickWriter(home).sync(allow_deletes=True)


@cache
def forkserver() -> Any:
    """Processes that start in a tenth of a second: they are forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "lancedb", "indexer.cli", "indexer.writer", "indexer.prepare"])
    return context


# What a version answers


def answers(base: KnowledgeBase, version: int) -> dict[str, object]:
    """The documents, texts and exact rankings of a version, without what later versions add to them."""
    documents = [replace(document, until=FOREVER) for document in base.documents(as_of=version)]
    layouts = base.store.texts.get(document.layout for document in documents)
    hits = base.search(QUERY, as_of=version, k=100, exact=True).hits
    return {
        "documents": documents,
        "texts": {document.uri: layouts[document.layout].text for document in documents},
        "hits": [replace(hit, provenance=replace(hit.provenance, until=None)) for hit in hits],
    }


def published(base: KnowledgeBase) -> list[dict[str, Any]]:
    """What every snapshot states, oldest first, without what differs from run to run by right."""
    return [_facts(snapshot) for snapshot in reversed(base.log(None))]


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    chunks = snapshot.chunks
    kept = ("version", "parent", "source", "source_revision", "source_time", "message", "fingerprint", "documents")
    facts = {name: getattr(snapshot, name) for name in kept}
    facts |= {name: getattr(snapshot, name) for name in ("content_digest", "rows_digest", "changes_digest")}
    return facts | {"chunks": (chunks.added, chunks.removed, chunks.total)}


def rows(home: Path, statement: str) -> list[tuple[Any, ...]]:
    """What the catalog holds, read past the program."""
    with contextlib.closing(sqlite3.connect(home / "catalog.sqlite")) as connection, connection:
        return connection.execute(statement).fetchall()


def frozen(home: Path) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """All that reading and refusals must not change: the catalog's tables but for what was done and asked, and the
    store's files.
    """
    names = [name for (name,) in rows(home, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = {
        name: sorted(rows(home, f"SELECT * FROM {name}"), key=repr) for name in names if name not in ("run", "request")
    }
    stats = {path: path.stat() for path in (home / "store").rglob("*") if path.is_file()}
    return tables, {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


# Sources


def write(folder: Path, documents: Mapping[str, str | bytes]) -> None:
    for uri, content in documents.items():
        (folder / uri).parent.mkdir(parents=True, exist_ok=True)
        (folder / uri).write_bytes(content.encode() if isinstance(content, str) else content)


def git(repository: Path, *arguments: str, day: int = 1) -> str:
    """Runs git as one fixed author on a day of January 2024."""
    moment = f"2024-01-{day:02}T12:00:00+00:00"
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _author(moment)}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ("git", "-C", str(repository), *arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def commit(repository: Path, documents: Mapping[str, str | bytes | None], day: int) -> str:
    """Commits the documents as they are to be, None for removed; returns the commit's id."""
    if not repository.exists():
        repository.mkdir(parents=True)
        git(repository, "init", "--quiet", "--initial-branch=main")
    for uri in [uri for uri, content in documents.items() if content is None]:
        (repository / uri).unlink()
    write(repository, {uri: content for uri, content in documents.items() if content is not None})
    git(repository, "add", "--all", day=day)
    git(repository, "commit", "--quiet", "--allow-empty", "--message", f"day {day}", day=day)
    return git(repository, "rev-parse", "HEAD")


def _author(moment: str) -> tuple[tuple[str, str], ...]:
    return ("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", moment)


# The command


@dataclass(frozen=True, slots=True)
class Called:
    """What a command said and how it ended."""

    code: int
    out: bytes
    error: str


def call(*arguments: str | Path) -> Called:
    """Runs `kb` in this process."""
    before = sys.argv
    out, error = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    sys.argv = ["kb", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = run(root)
    finally:
        sys.argv = before
    out.flush()
    return Called(code, out.buffer.getvalue(), error.getvalue())


def command(*arguments: str | Path, cwd: Path | None = None, home: Path | None = None) -> Called:
    """Runs the installed `kb` as users do."""
    environment = {key: value for key, value in os.environ.items() if key != "KB_HOME"}
    environment |= {"KB_HOME": str(home)} if home else {}
    ran = subprocess.run([KB, *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    return Called(ran.returncode, ran.stdout, ran.stderr.decode())
