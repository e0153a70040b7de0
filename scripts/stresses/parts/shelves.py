"""Three sources for different readers, one that publishes their changes without pause, and what each version holds."""

import json
import multiprocessing
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import kb
from indexer.creation import create
from indexer.progress import unobserved
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.callers import add_key
from kb.keys import Role
from scripts.stresses.parts.folder import Folder
from scripts.stresses.parts.here import Here
from scripts.stresses.parts.paragraphs import paragraphs

ACCESS: Final[Mapping[str, str | None]] = {"open": None, "staff": "staff", "legal": "legal,staff"}
"""Who may see each source."""
CALLERS: Final[Mapping[str, tuple[Role, tuple[str, ...]]]] = {
    "auditor": ("auditor", ()),
    "nobody": ("reader", ()),
    "staff": ("reader", ("staff",)),
    "legal": ("reader", ("legal", "other")),
}
Texts = Mapping[str, Mapping[str, str]]
"""By source and URI."""


class Shelves:
    """The folders in a directory, and the home that follows them."""

    def __init__(self, directory: Path, documents: int, every: str | None = None) -> None:
        directory.mkdir(parents=True)
        self.home = create(directory / "home", "hashing:64")[0].path
        self.truths = directory / "truth"
        self.truths.mkdir()
        self.folders = {
            name: Folder(directory / name, paragraphs(), seed, documents) for seed, name in enumerate(ACCESS)
        }
        writer = Writer(self.home)
        for name, access in ACCESS.items():
            options = {"path": str(directory / name)}
            writer.add_source(name, "folder", options, access=access, every=every, delete_guard="1")
        writer.catalog.close()
        with kb.open(self.home) as base:
            self.tokens = {name: add_key(base.catalog, name, *how)[1] for name, how in CALLERS.items()}

    def sync(self) -> None:
        """Publishes each source by itself, and notes what every version holds."""
        writer = Writer(self.home, unobserved, Here())
        held: dict[str, Mapping[str, str]] = {}
        for name, folder in self.folders.items():
            writer.sync([name], allow_deletes=True)
            held[name] = folder.texts
            self.note(held)
        writer.catalog.close()

    def note(self, held: Texts) -> None:
        with kb.open(self.home) as base:
            (head,) = base.log(1)
        (self.truths / f"{head.version}.json").write_text(json.dumps(held), "utf-8")

    def publish(self, until: float, pause_s: float) -> None:
        """Changes one source after the other until that moment (seconds since the epoch), but one at least."""
        chance, writer = random.Random(until), Writer(self.home, unobserved, Here())
        for folder in self.folders.values():
            folder.reread()
        while True:
            name = chance.choice(sorted(self.folders))
            self.folders[name].change()
            writer.sync([name], allow_deletes=True)
            self.note({source: folder.texts for source, folder in self.folders.items()})
            if time.time() >= until:
                break
            time.sleep(pause_s)
        writer.catalog.close()

    @cache  # noqa: B019
    def texts(self, version: int) -> Texts:
        """What was noted of a version."""
        found: Texts = json.loads((self.truths / f"{version}.json").read_text("utf-8"))
        return found


@contextmanager
def publishing(shelves: Shelves, seconds: float, pause_s: float) -> Iterator[Any]:
    """A process that publishes meanwhile. Raises RuntimeError where it fails."""
    process = multiprocessing.get_context("spawn").Process(
        target=shelves.publish, args=(time.time() + seconds, pause_s), daemon=True
    )
    process.start()
    yield process
    process.join(120)
    if process.exitcode != 0:
        raise RuntimeError(f"the publisher ended with {process.exitcode}")


def texts_of(base: KnowledgeBase, version: int) -> Texts:
    """What the library says that a version holds."""
    found: dict[str, dict[str, str]] = {name: {} for name in ACCESS}
    documents = base.documents(as_of=version)
    layouts = base.store.texts.get(document.layout for document in documents)
    for document in documents:
        found[document.source][document.uri] = layouts[document.layout].text
    return found


def visible(caller: str) -> set[str]:
    """The sources that a caller may see."""
    role, groups = CALLERS[caller]
    return {
        name
        for name, access in ACCESS.items()
        if role == "auditor" or access is None or set(access.split(",")) & set(groups)
    }
