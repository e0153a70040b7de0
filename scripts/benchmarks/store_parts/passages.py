"""Real text, cut into passages of a few hundred characters: Python's PEPs, SciFact's and Cranfield's abstracts."""

import io
import json
import random
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).resolve().parents[3].parent / "shared" / "data"
LEAST: Final = 350
"""Characters that a passage has before the next paragraph begins another one."""
SHORTEST: Final = 150
"""What a document ends with may be shorter than `LEAST`; what is shorter than this is left out."""
MOST: Final = 800
"""Longer paragraphs are cut at a space."""
_ABSTRACTS: Final = ("scifact", "cranfield")
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n")


@cache
def passages() -> Sequence[str]:
    """All different passages, in an order that mixes the collections."""
    texts = sorted({passage for text in _documents() for passage in cut(text) if len(passage) >= SHORTEST})
    # Sorted text groups what begins alike; shuffling takes that apart again.
    random.Random(0).shuffle(texts)
    return texts


def questions() -> list[str]:
    """Real questions on the abstracts, without repeats."""
    files = [DATA / name / file for name in _ABSTRACTS for file in ("queries.jsonl", "queries_train.jsonl")]
    return list(dict.fromkeys(row["text"] for file in files if file.is_file() for row in _rows(file)))


def cut(text: str) -> list[str]:
    """Paragraphs in order, short ones joined and long ones cut; none is empty."""
    found: list[str] = []
    for paragraph in filter(None, map(str.strip, _BLANK_LINE.split(text))):
        if found and len(found[-1]) < LEAST:
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    return [piece for passage in found for piece in _pieces(passage)]


def _pieces(passage: str) -> Iterator[str]:
    while len(passage) > MOST:
        end = passage.rfind(" ", LEAST, MOST)
        end = MOST if end < 0 else end
        yield passage[:end].rstrip()
        passage = passage[end:].lstrip()
    if passage:
        yield passage


def _documents() -> Iterator[str]:
    yield from _peps()
    for name in _ABSTRACTS:
        for row in _rows(DATA / name / "corpus.jsonl"):
            yield f"{row['title']}\n\n{row['text']}"


def _peps() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        _git("clone", "--quiet", "--bare", "--branch", "main", DATA / "peps.bundle", directory)
        archive = io.BytesIO(_git("-C", directory, "archive", "main", "peps"))
    with tarfile.open(fileobj=archive) as files:
        for member in files:
            content = files.extractfile(member) if member.name.endswith(".rst") else None
            if content is not None:
                yield content.read().decode()


def _git(*arguments: str | Path) -> bytes:
    return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout


def _rows(path: Path) -> Sequence[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
