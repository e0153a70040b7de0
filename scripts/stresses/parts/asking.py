"""Asking a knowledge base the same questions as of the same versions in a process of its own; run as a program."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kb.answers import plain
from scripts.benchmarks.store_parts.passages import questions
from scripts.benchmarks.store_parts.publishing import open_made

_ROOT: Final = Path(__file__).resolve().parents[3]

Hits = list[dict[str, Any]]
Answers = Mapping[str, Hits]
"""By `VERSION WAY QUESTION`, where the way is `exact` or `default`."""


def ask(home: Path, versions: Sequence[int], each: int) -> Answers:
    """So many questions of each version, answered by a process that has just opened the knowledge base."""
    command = [sys.executable, "-m", __name__, str(home), str(each), *map(str, versions)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=_ROOT, env=environment)
    answers: Answers = json.loads(done.stdout)
    return answers


def same_but_for_ends(before: Hits, after: Hits) -> bool:
    """Whether the hits are the same to the byte; of a chunk that lived on, a later version may since have ended it."""
    ended = [_with_end(old, new) for old, new in zip(before, after, strict=False)]
    return len(before) == len(after) and json.dumps(ended) == json.dumps(after)


def overlap(before: Hits, after: Hits) -> float:
    """Share of the hits that are found again."""
    found = {hit["chunk_id"] for hit in after}
    return sum(hit["chunk_id"] in found for hit in before) / len(before) if before else 1.0


def _with_end(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    also = [_place_with_end(*places) for places in zip(old["also"], new["also"], strict=False)]
    rest = old["also"][len(also) :]
    return {**old, "provenance": _place_with_end(old["provenance"], new["provenance"]), "also": [*also, *rest]}


def _place_with_end(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    ended = old["until"] is None and new["until"] is not None and new["until"] > old["version"]
    return {**old, "until": new["until"]} if ended else old


def main() -> None:
    home, each, *versions = sys.argv[1:]
    asked, answers = questions(), {}
    with open_made(Path(home)) as base:
        for place, version in enumerate(map(int, versions)):
            for number in range(int(each)):
                question = asked[(place * int(each) + number) % len(asked)]
                for way in ("exact", "default"):
                    found = base.search(question, as_of=version, exact=way == "exact")
                    answers[f"{version} {way} {question}"] = plain(found.hits)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
