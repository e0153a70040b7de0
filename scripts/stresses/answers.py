"""stress answers: what old versions answer, before and after all that may happen to the knowledge base around them.

Recorded at sampled versions, exact and default; then come many more commits, upkeep, retention that keeps the samples
alone, a new process, and a copy of the directory elsewhere. The exact answers must be the same to the byte, of the
default ones 99 % of the top 10.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from kb.retention import Policy
from kb.store.upkeep import NONE
from scripts.benchmarks.store_parts.building import texts_of
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.passages import DATA, passages
from scripts.benchmarks.store_parts.publishing import PIPELINE, Publisher, open_made
from scripts.benchmarks.store_parts.rivals import vector_index_of
from scripts.stresses.parts.asking import Answers, ask, overlap, same_but_for_ends
from scripts.stresses.parts.told import must, outcome

OVERLAP: Final = 0.99


@dataclass(frozen=True, slots=True)
class Form:
    """Live chunks, commits before and after the answers are recorded, versions sampled, questions of each."""

    size: int
    before: int
    after: int
    samples: int
    questions: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress answers", description="Old versions' answers, before and after.")
    parser.add_argument("--size", type=int, default=25_000, metavar="N", help="live chunks, 25,000 by default")
    parser.add_argument("--before", type=int, default=100, metavar="N", help="commits that are sampled, 100 by default")
    parser.add_argument("--after", type=int, default=300, metavar="N", help="commits after that, 300 by default")
    parser.add_argument("--samples", type=int, default=20, metavar="N", help="versions, 20 by default")
    parser.add_argument("--questions", type=int, default=3, metavar="N", help="of each version, 3 by default")
    form = Form(**vars(parser.parse_args()))
    if not DATA.is_dir():
        parser.exit(2, f"stress answers: the texts are missing: put them into {DATA}\n")
    with tempfile.TemporaryDirectory() as directory:
        return outcome("answers", lambda: run(Path(directory), form))


def run(directory: Path, form: Form) -> None:
    home = directory / "kb"
    writer = Steps(home, Corpus(passages(), form.size))
    writer.go(form.before)
    writer.publisher.store.upkeep(NONE)
    versions = sampled(form)
    before = ask(home, versions, form.questions)
    index = vector_index_of(home / "store", f"chunks_{PIPELINE.space}")
    print(f"{len(before)} answers of {len(versions)} versions recorded, {index.kind if index else 'no'} vector index")
    writer.go(form.after)
    writer.publisher.store.upkeep(NONE)
    compare("after more commits and upkeep", before, ask(home, versions, form.questions))
    writer.publisher.close()
    thin(home, versions)
    compare("after retention", before, ask(home, versions, form.questions))
    copy = Path(shutil.copytree(home, directory / "elsewhere" / "copy"))
    shutil.rmtree(home)
    compare("in a copy elsewhere", before, ask(copy, versions, form.questions))
    with open_made(copy) as base:
        must(not base.verify().findings, f"verify finds {base.verify().findings}")


class Steps:
    """Publishes the corpus, then one step of its history after the other."""

    def __init__(self, home: Path, corpus: Corpus) -> None:
        self._corpus = corpus
        self._counts = corpus.start()
        self._number = 0
        self.publisher = Publisher(home, MadeEmbedder())
        self.publisher.publish(texts_of(corpus, self._counts, range(len(corpus.documents))))

    def go(self, steps: int) -> None:
        for _ in range(steps):
            self._number += 1
            step = self._corpus.step(self._number)
            self._counts[step.slots] += 1
            self.publisher.publish(texts_of(self._corpus, self._counts, list(step.edits)))


def sampled(form: Form) -> list[int]:
    """Spread evenly over the versions that there are, the first and the newest among them."""
    return sorted({int(version) for version in np.linspace(1, form.before + 1, form.samples).round()})


def thin(home: Path, versions: Sequence[int]) -> None:
    """Lets all versions expire but those and the head."""
    with open_made(home) as base:
        for version in versions:
            base.tag(f"sample-{version}", version)
        base.retain(Policy(tagged=True))
        kept = {snapshot.version for snapshot in base.log(None)} - {base.log(1)[0].version}
        must(kept == set(versions), f"retention kept {sorted(kept)}")
        base.store.upkeep(NONE)


def compare(when: str, before: Answers, after: Answers) -> None:
    other = [key for key in before if " exact " in key and not same_but_for_ends(before[key], after[key])]
    must(not other, f"{when}: {len(other)} exact answers are not the same, first: {other[:1]}")
    shares = [overlap(before[key], after[key]) for key in before if " default " in key]
    same = sum(same_but_for_ends(before[key], after[key]) for key in before if " default " in key)
    mean = float(np.mean(shares))
    print(f"{when}: {len(shares)} exact answers the same to the byte; default overlap {mean:.4f}, {same} the same")
    must(mean >= OVERLAP, f"{when}: the default answers overlap by {mean:.4f} only")


if __name__ == "__main__":
    sys.exit(main())
