"""`bench retrieval`: nDCG@10 and recall@100 of whole documents, by BM25, dense and hybrid search.

Each collection becomes a folder with one file per document, which the program indexes as it would any folder and with
the real model, and each question is asked in all three modes. A document scores by its best passage and, with a share
of .15, by the mean of its passages found. The targets are what a prototype reached that knew nothing of passages.
`--quick` asks half of the questions about code, and takes a part of Cranfield; for these there are no targets. `--keep
DIR` leaves the knowledge bases there and finds them again, embeddings included.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import ir_measures
from ir_measures import R, nDCG

import kb
from indexer.creation import create
from kb.nouns import Mode

DATA: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MEASURES: Final = (nDCG @ 10, R @ 100)
PASSAGES: Final = 400
"""Asked for with each question: enough for 100 documents."""
MEAN_SHARE: Final = 0.15
"""Best passage alone against this: Cranfield dense .393 and .399, hybrid .434 and .432; elsewhere within .003."""
MARGIN: Final = 0.02
"""By which hybrid is to be better than either side alone."""
QUICK_DOCUMENTS: Final = 250
TARGETS: Final[Mapping[str, Mapping[str, float]]] = {
    "scifact": {"bm25": 0.686, "dense": 0.648, "hybrid": 0.736},
    "cranfield": {"bm25": 0.375, "dense": 0.398, "hybrid": 0.431},
    "anthropic_code": {"bm25": 0.587, "dense": 0.599, "hybrid": 0.705},
}
SUFFIXES: Final[Mapping[str, str]] = {"anthropic_code": ".rs"}
"""Of the files, else `.txt`. Code is in four languages, which the program does not tell apart."""
MODES: Final[tuple[Mode, ...]] = ("bm25", "dense", "hybrid")
assert set(MODES) == set(get_args(Mode))


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents and questions by id, and which document answers which question, how well."""

    name: str
    documents: Mapping[str, str]
    questions: Mapping[str, str]
    judgments: Mapping[str, Mapping[str, int]]
    suffix: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One mode's measures, and the time of a search, in milliseconds."""

    ndcg: float
    recall: float
    search_ms: float


def read_collection(name: str) -> Collection:
    folder = DATA / name
    documents = {row["_id"]: _text(name, row) for row in _rows(folder / "corpus.jsonl")}
    judgments: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, grade = line.split("\t")
        judgments.setdefault(question, {})[document] = int(grade)
    questions = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl") if row["_id"] in judgments}
    return Collection(name, documents, questions, judgments, SUFFIXES.get(name, ".txt"))


def part_of(whole: Collection, documents: int) -> Collection:
    """The first documents, and the questions that they answer."""
    kept = dict(list(whole.documents.items())[:documents])
    judgments = {
        question: {document: grade for document, grade in answers.items() if document in kept}
        for question, answers in whole.judgments.items()
    }
    answered = {question: answers for question, answers in judgments.items() if any(answers.values())}
    questions = {question: whole.questions[question] for question in answered}
    return Collection(f"{whole.name} ({documents} documents)", kept, questions, answered, whole.suffix)


def half_of(whole: Collection) -> Collection:
    """All documents, and every other question."""
    questions = dict(list(whole.questions.items())[::2])
    judgments = {question: whole.judgments[question] for question in questions}
    return Collection(f"{whole.name} (half)", whole.documents, questions, judgments, whole.suffix)


def index(collection: Collection, home: Path) -> tuple[kb.KnowledgeBase, Mapping[str, str]]:
    """The collection as a knowledge base, and its documents' ids by their URIs."""
    folder = home.parent / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"{place:05}{collection.suffix}": document for place, document in enumerate(collection.documents)}
    for name, document in names.items():
        if not (folder / name).exists():
            (folder / name).write_text(collection.documents[document], "utf-8")
    create(home)
    base = kb.open(home)
    if not base.sources():
        base.writer.add_source("documents", "folder", {"path": str(folder)})
    base.sync()
    return base, names


def run(base: kb.KnowledgeBase, names: Mapping[str, str], collection: Collection, mode: Mode) -> Outcome:
    """Asks all questions in one mode."""
    began = time.perf_counter()
    ranked = [
        ir_measures.ScoredDoc(question, document, score)
        for question, text in collection.questions.items()
        for document, score in _scored(base.search(text, k=PASSAGES, mode=mode), names).items()
    ]
    search_ms = (time.perf_counter() - began) * 1000 / len(collection.questions)
    found = ir_measures.calc_aggregate(MEASURES, collection.judgments, ranked)
    return Outcome(found[nDCG @ 10], found[R @ 100], search_ms)


def report(collection: Collection, home: Path) -> bool:
    """Prints one collection's rows; whether they reach what they should."""
    began = time.perf_counter()
    base, names = index(collection, home)
    with base:
        chunks = base.log(1)[0].chunks.total
        indexed_s = time.perf_counter() - began
        outcomes = {mode: run(base, names, collection, mode) for mode in MODES}
    print(
        f"{collection.name}: {len(collection.documents):,} documents, {chunks:,} chunks, "
        f"{len(collection.questions)} questions, indexed in {indexed_s:.0f} s"
    )
    targets = TARGETS.get(collection.name, {})
    for mode, outcome in outcomes.items():
        target = f"{targets[mode]:9.3f}" if mode in targets else f"{'-':>9}"
        print(f"  {mode:<8}{outcome.ndcg:>9.3f}{target}{outcome.recall:>9.3f}{outcome.search_ms:>12.1f}")
    margin = outcomes["hybrid"].ndcg - max(outcomes["bm25"].ndcg, outcomes["dense"].ndcg)
    print(f"  hybrid is {margin:+.3f} from the better side alone", flush=True)
    reached = all(round(outcomes[mode].ndcg, 3) >= targets[mode] for mode in MODES if mode in targets)
    return not targets or (reached and round(margin, 3) >= MARGIN)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench retrieval", description="nDCG@10 and recall@100 of documents.")
    parser.add_argument("--quick", action="store_true", help="under two minutes: code, and a part of Cranfield")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the knowledge bases there, to be found again")
    parser.add_argument("--only", choices=TARGETS, help="one collection")
    asked = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(2, f"bench retrieval: the collections are missing: put them into {DATA}\n")
    with tempfile.TemporaryDirectory() as temporary:
        place = asked.keep or Path(temporary)
        print(f"{'':<10}{'nDCG@10':>9}{'target':>9}{'R@100':>9}{'ms a search':>12}")
        reached = [report(collection, place / collection.name / "kb") for collection in _collections(asked)]
    if not asked.quick:
        print("all targets reached" if all(reached) else "targets missed")


def _collections(asked: argparse.Namespace) -> Iterator[Collection]:
    if asked.quick:
        yield half_of(read_collection("anthropic_code"))
        yield part_of(read_collection("cranfield"), QUICK_DOCUMENTS)
        return
    for name in [asked.only] if asked.only else TARGETS:
        yield read_collection(name)


def _scored(hits: Sequence[kb.Hit], names: Mapping[str, str]) -> dict[str, float]:
    """Each document's score by its passages, which come best first."""
    passages: dict[str, list[float]] = {}
    for hit in hits:
        passages.setdefault(names[hit.provenance.uri], []).append(hit.score)
    return {
        document: (1 - MEAN_SHARE) * scores[0] + MEAN_SHARE * sum(scores) / len(scores)
        for document, scores in passages.items()
    }


def _text(collection: str, row: Mapping[str, str]) -> str:
    # The titles of the code are running numbers.
    return row["text"] if collection == "anthropic_code" else f"{row['title']}\n\n{row['text']}\n"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()
