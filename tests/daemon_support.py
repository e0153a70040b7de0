"""What the daemon's tests share: sources that do as they are told, a daemon in a thread, and what it says."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import pytest

from connectors import options
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from indexer.daemon.daemon import Daemon
from indexer.daemon.log import make_log
from indexer.extract.shared import SharedPool
from indexer.progress import Event, Observer, unobserved
from kb.base import KnowledgeBase
from kb.catalog import standings
from kb.catalog.standings import Standing
from kb.clock import now
from kb.errors import DocumentGone
from kb.home import Home
from kb.nouns import Snapshot
from scripts.stresses.parts.here import Here
from scripts.stresses.parts.log_lines import PATIENCE_S, Told


class Stage:
    """A source that a test directs: what it holds, what it raises, and when it answers."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self.error: Exception | None = None
        self.wakes: list[Callable[[], None]] = []
        self.closed = 0
        """Watches that were closed."""
        self.polls = threading.Semaphore(0)
        """One for each poll that began."""
        self.open = threading.Event()
        """While it is not set, no poll comes to its end."""
        self.open.set()

    def await_poll(self) -> None:
        assert self.polls.acquire(timeout=PATIENCE_S), "the source was not polled"

    def forget_polls(self) -> None:
        while self.polls.acquire(blocking=False):
            pass

    def wake(self) -> None:
        self.wakes[-1]()


STAGES: Final[dict[str, Stage]] = {}


@dataclass(frozen=True, slots=True)
class StagedOptions:
    """`stage` names one of `STAGES`; `token` is whatever a secret stands for."""

    stage: Annotated[str, options.text]
    token: Annotated[str, options.text] = ""


class Staged:
    """The kind `staged`."""

    options_type: ClassVar[type[StagedOptions]] = StagedOptions

    def __init__(self, options: StagedOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._stage = STAGES[options.stage]

    def poll(self, checkpoint: str | None) -> Listing:
        stage = self._stage
        stage.polls.release()
        stage.open.wait()
        if stage.error is not None:
            raise stage.error
        return Listing(tuple(Entry(uri, stamp=text) for uri, text in stage.texts.items()), checkpoint="")

    def fetch(self, entry: Entry) -> Fetched:
        try:
            return Fetched(self._stage.texts[entry.uri].encode())
        except KeyError:
            raise DocumentGone(f"{entry.uri} went") from None

    def watch(self, wake: Callable[[], None]) -> "StagedWatch":
        self._stage.wakes.append(wake)
        return StagedWatch(self._stage)


class StagedWatch:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def close(self) -> None:
        self._stage.closed += 1


def plug(directory: Path, patch: pytest.MonkeyPatch) -> None:
    """Registers the kind as a third party does."""
    metadata = directory / "staged-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: staged\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[kb.connectors]\nstaged = {__name__}:Staged\n")
    patch.syspath_prepend(directory)


class QuickPool(SharedPool):
    """No process of its own."""

    def map(self, function: Callable[[Any], Any], arguments: Any, weigh: Any = None) -> Iterator[Any]:
        return Here().map(function, arguments)


@dataclass(frozen=True, slots=True)
class Followed:
    """A daemon that runs in a thread."""

    daemon: Daemon
    told: Told
    thread: threading.Thread

    def sync(self, name: str, *, allow_deletes: bool = False) -> Any:
        """What came of it."""
        return self.daemon.order(name, None, allow_deletes).looked.result(PATIENCE_S)

    def head(self) -> Snapshot | None:
        with KnowledgeBase(self.daemon.writer.home) as base:
            return next(iter(base.log(1)), None)

    def documents(self, source: str) -> list[str]:
        with KnowledgeBase(self.daemon.writer.home) as base:
            return sorted(one.uri for one in base.documents() if one.source == source)

    def standing(self, name: str) -> Standing:
        with self.daemon.catalog.reading() as connection:
            return standings.listed(connection).get(name, Standing())


@contextmanager
def following(home: Home, observe: Observer = unobserved, present: Callable[[], datetime] = now) -> Iterator[Followed]:
    told = Told()
    daemon = Daemon(home, make_log("json", told), observe, QuickPool(), present)
    thread = threading.Thread(target=daemon.run, daemon=True)
    thread.start()
    try:
        yield Followed(daemon, told, thread)
    finally:
        daemon.stop()
        for stage in STAGES.values():
            stage.open.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class Steps:
    """An observer that raises once when told to, and lets a test wait for a step."""

    def __init__(self) -> None:
        self.failing: tuple[str, str, str] | None = None
        """Step, source and subject at which it fails, once."""

    def __call__(self, event: Event) -> None:
        if self.failing == (event.step, event.source, event.subject):
            self.failing = None
            raise RuntimeError("the floor gave way")
