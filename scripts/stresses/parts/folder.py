"""A folder of real text that changes by chance, and the plain model of it: a dictionary."""

import random
from collections.abc import Sequence
from pathlib import Path

from indexer.creation import create
from indexer.writer import Writer

DOCUMENTS = 12


class Folder:
    """`texts` is what lies in the directory, by name."""

    def __init__(self, directory: Path, passages: Sequence[str], seed: int, documents: int = DOCUMENTS) -> None:
        self.directory = directory
        self._least = documents
        self.texts: dict[str, str] = {}
        self.ever: set[str] = set()
        """All names that were ever in it."""
        self._passages = passages
        self._chance = random.Random(seed)
        directory.mkdir()
        for number in range(documents):
            self._write(f"{number}.md", self._made(number))

    def reread(self) -> None:
        """Takes up what another process has made of it."""
        self.texts = {path.name: path.read_bytes().decode() for path in self.directory.iterdir()}

    def change(self) -> None:
        """Edits some documents, renames, removes and adds one now and then."""
        for name in self._chance.sample(sorted(self.texts), min(4, len(self.texts))):
            self._edit(name)
        if self._chance.random() < 0.3:
            name = self._chance.choice(sorted(self.texts))
            self._write(f"moved-{self._chance.randrange(10**6)}.md", self._drop(name))
        if len(self.texts) > self._least // 2 and self._chance.random() < 0.2:
            self._drop(self._chance.choice(sorted(self.texts)))
        if len(self.texts) < self._least:
            self._write(f"new-{self._chance.randrange(10**6)}.md", self._made(self._chance.randrange(10**6)))

    def rename_all(self) -> None:
        """Every document gets another name."""
        for name in sorted(self.texts):
            text = self.texts.pop(name)
            new = f"renamed-{self._chance.randrange(10**9)}.md"
            (self.directory / name).rename(self.directory / new)
            self.texts[new] = text
            self.ever.add(new)

    def _edit(self, name: str) -> None:
        parts = self.texts[name].split("\n\n")
        parts[self._chance.randrange(len(parts))] = self._chance.choice(self._passages)
        self._write(name, "\n\n".join(parts))

    def _made(self, number: int) -> str:
        return f"# Document {number}\n\n" + "\n\n".join(self._chance.sample(self._passages, 8))

    def _write(self, name: str, text: str) -> None:
        # Every change must show in the size or the time; within one tick of the clock it is read again anyway.
        self.texts[name] = text
        self.ever.add(name)
        (self.directory / name).write_bytes(text.encode())

    def _drop(self, name: str) -> str:
        (self.directory / name).unlink()
        return self.texts.pop(name)


def home_of(path: Path, folder: Folder, model: str = "hashing:64") -> Path:
    """A new home that follows the folder, never synced."""
    home = create(path, model)[0].path
    Writer(home).add_source("docs", "folder", {"path": str(folder.directory)})
    return home
