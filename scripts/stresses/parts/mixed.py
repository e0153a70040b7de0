"""Sources that change and go wrong by chance while a daemon follows them, and what must hold of its work."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import kb
from kb.base import KnowledgeBase
from scripts.stresses.parts.faulty import FAULTS
from scripts.stresses.parts.folder import Folder
from scripts.stresses.parts.told import must

CALM: Final = "calm"
"""A source of that name changes, and never goes wrong."""
FAULTS_SHARE: Final = 0.08


@dataclass(slots=True)
class Place:
    """One source: its folder, and the moment at which what is the matter with it ends."""

    name: str
    folder: Folder
    ends: float = 0.0

    @property
    def _away(self) -> Path:
        return self.folder.directory.with_suffix(".away")

    def fail(self, fault: str, until: float) -> None:
        self.mend()
        if fault == "vanish":
            self.folder.directory.rename(self._away)
        else:
            self.folder.directory.with_suffix(".fault").write_text(fault)
        self.ends = until

    def mend(self) -> None:
        if self._away.exists():
            self._away.rename(self.folder.directory)
        self.folder.directory.with_suffix(".fault").unlink(missing_ok=True)
        self.ends = 0.0

    def change(self, chance: random.Random) -> None:
        """Not while it is away: nobody writes to a disk that is not mounted."""
        if self._away.exists():
            return
        if chance.random() < 0.1:
            self.folder.rename_all()
        # Several in a row, so that it changes while it is read.
        for _ in range(chance.choice([1, 1, 1, 5])):
            self.folder.change()


class Mixed:
    """`places` are driven step by step; moments are seconds of a clock that never steps."""

    def __init__(self, directory: Path, names: Sequence[str], passages: Sequence[str], seed: int) -> None:
        self._chance = random.Random(seed)
        self.places = [Place(name, Folder(directory / name, passages, seed + n)) for n, name in enumerate(names)]
        self.faults = dict.fromkeys((*FAULTS, "vanish"), 0)
        self.changes = 0

    def step(self, longest_s: float) -> None:
        """One change or fault; faults that have lasted long enough end."""
        moment = time.monotonic()
        for place in self.places:
            if place.ends and place.ends < moment:
                place.mend()
        place = self._chance.choice(self.places)
        if place.name != CALM and self._chance.random() < FAULTS_SHARE:
            fault = self._chance.choice(sorted(self.faults))
            self.faults[fault] += 1
            place.fail(fault, moment + self._chance.uniform(0.2, longest_s))
        else:
            self.changes += 1
            place.change(self._chance)

    def mend(self) -> None:
        for place in self.places:
            place.mend()


def no_deletion_invented(home: Path, mixed: Mixed) -> int:
    """Every document that a snapshot removed is one that had gone; returns how many were removed."""
    removed = 0
    living = {place.name: set(place.folder.texts) for place in mixed.places}
    ever = {place.name: place.folder.ever for place in mixed.places}
    with kb.open(home) as base:
        versions = [snapshot.version for snapshot in base.log(None)]
        for version in versions:
            for change in base.diff(version - 1, version).documents if version > 1 else ():
                if change.change == "removed":
                    removed += 1
                    must(change.uri in ever[change.source], f"version {version} removes {change.uri}, unheard of")
                    must(
                        change.uri not in living[change.source],
                        f"version {version} removes {change.source}:{change.uri}, which never went",
                    )
    return removed


def equals_the_folders(base: KnowledgeBase, places: Sequence[Place]) -> None:
    documents = base.documents()
    layouts = base.store.texts.get(document.layout for document in documents)
    found: Mapping[str, dict[str, str]] = {place.name: {} for place in places}
    for document in documents:
        found[document.source][document.uri] = layouts[document.layout].text
    for place in places:
        must(found[place.name] == place.folder.texts, f"{place.name} is not what lies in its folder")
