"""stress kills: `kill -9` of a writer that syncs, permits, retains or does upkeep, at its steps and in between.

After each: every published version answers as it did when it was published, a version that the killed writer published
is what lies in the folder, `kb verify` finds nothing, and after the next upkeep the store holds no file that none of
its tables' versions names. At the end the home equals one that was built afresh.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import kb
from indexer.writer import Writer
from kb.base import KnowledgeBase
from kb.catalog import expiry, pending
from scripts.stresses.parts.folder import Folder, home_of
from scripts.stresses.parts.killed import POLICY, retain, run, sync, upkeep
from scripts.stresses.parts.moments import PERMIT, RETAIN, SYNC, Moment
from scripts.stresses.parts.orphans import orphans
from scripts.stresses.parts.paragraphs import paragraphs
from scripts.stresses.parts.told import must, otherwise, outcome, told

WORK: Final = {"sync": sync, "permit": sync, "retain": retain, "upkeep": upkeep}
MOMENTS: Final[dict[str, Sequence[Moment]]] = {"sync": SYNC, "permit": PERMIT, "retain": RETAIN, "upkeep": ()}
WEIGHTS: Final = {"sync": 10, "permit": 2, "retain": 5, "upkeep": 3}
QUERY: Final = "the rows that a version of the table holds"


class Kills:
    """One home that goes on from kill to kill, and what each of its versions answered when it was first seen."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._folder = Folder(directory / "docs", paragraphs(), seed)
        self._fresh = directory / "fresh"
        self.home = home_of(directory / "home", self._folder)
        self._told: dict[int, dict[str, Any]] = {}
        self._longest = dict.fromkeys(WORK, 0.5)
        """Seconds that each kind of work has taken."""
        self.killed = Counter[str]()
        self.survived = 0

    def attempt(self) -> None:
        """One piece of work, killed unless it is quicker, and all that must hold after it."""
        kind = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self._prepare(kind)
        moments = MOMENTS[kind]
        kill: Moment | float = self._chance.uniform(0, self._longest[kind])
        if moments and self._chance.random() < 0.5:
            kill = self._chance.choice(moments)
        print(f"{kind}, killed at {kill}", file=sys.stderr, flush=True)
        killed, took = run(WORK[kind], self.home, kill)
        place = str(kill) if isinstance(kill, Moment) else "between"
        if killed:
            self.killed[f"{kind}: {place}"] += 1
        else:
            self.survived += 1
            self._longest[kind] = max(0.05, took)
        self.check(f"after {kind} was killed at {kill}", may_expire=kind == "retain")
        self._go_on()

    def _prepare(self, kind: str) -> None:
        if kind in ("sync", "permit"):
            self._folder.change()
        if kind == "permit":
            groups = self._chance.choice(["a", "a,b", "c", "*"])
            Writer(self.home).change_source("docs", {"access": groups})

    def _go_on(self) -> None:
        """Half of the time the work is taken up again at once, else upkeep finds things as the kill left them."""
        if self._chance.random() < 0.5:
            sync(self.home)
            with kb.open(self.home) as base, base.catalog.reading() as connection:
                left = pending.intended(connection), expiry.unswept(connection)
            must(left == (None, False), f"a sync leaves something unfinished: {left}")
        upkeep(self.home)
        found = [path.relative_to(self.home).as_posix() for path in orphans(self.home / "store")]
        must(not found, f"upkeep leaves what no version names: {', '.join(found)}")
        self.check("after the next writer")

    def check(self, when: str, may_expire: bool = False) -> None:
        with kb.open(self.home) as base:
            versions = [snapshot.version for snapshot in reversed(base.log(None))]
            self._check_versions(when, versions, may_expire)
            self._told = {version: self._check_answers(when, base, version) for version in versions}
            findings = base.verify().findings if versions else ()
            must(not findings, f"{when}: verify finds {findings}")

    def _check_versions(self, when: str, versions: Sequence[int], may_expire: bool) -> None:
        before = list(self._told)
        head = before[-1] if before else 0
        older = [version for version in versions if version <= head]
        kept = before[-(POLICY.last or 0) :]
        must(older == before or (may_expire and older == kept), f"{when}: versions {before} have become {versions}")
        must(versions[len(older) :] in ([], [head + 1]), f"{when}: head {head} became {versions[-1:]}")

    def _check_answers(self, when: str, base: KnowledgeBase, version: int) -> dict[str, Any]:
        found = told(base, version, QUERY)
        for way in ("hybrid", "dense", "bm25", "default"):
            chunks = [hit.chunk_id for hit in found[way]]
            must(len(set(chunks)) == len(chunks), f"{when}: version {version} holds a chunk twice")
        if version in self._told:
            other = otherwise(self._told[version], found)
            must(not other, f"{when}: version {version} answers otherwise than before: {', '.join(other)}")
        else:
            must(found["texts"] == self._folder.texts, f"{when}: version {version} is not what lies in the folder")
        return found

    def end(self) -> None:
        """What came of all that equals what is made of the folder at once."""
        sync(self.home)
        fresh = home_of(self._fresh, self._folder)
        sync(fresh)
        heads = []
        for home in (self.home, fresh):
            with kb.open(home) as base:
                heads.append(base.log(1)[0])
        digests = [(head.content_digest, head.documents.total, head.chunks.total) for head in heads]
        must(digests[0] == digests[1], f"the head is not what a fresh build holds: {digests}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress kills", description="Kills of a writer.")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many, 200 by default")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choices; moments in between vary")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        return outcome("kills", lambda: kill(Kills(Path(directory), asked.seed), asked.kills))


def kill(kills: Kills, count: int) -> None:
    while kills.killed.total() < count:
        kills.attempt()
    kills.end()
    for place, times in sorted(kills.killed.items()):
        print(f"{times:4} {place}")
    print(f"{kills.killed.total()} kills, {kills.survived} times the work was quicker; everything holds")


if __name__ == "__main__":
    sys.exit(main())
