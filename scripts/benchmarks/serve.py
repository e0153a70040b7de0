"""bench serve: a server's queries per second and latencies, beside Chroma's, and what its extras cost.

The knowledge base is that of `bench store`: real text with made vectors and a history; `--keep DIR` finds one again.
Callers are a process of their own and keep their connections. "Model included" asks what nobody has asked before, with
the real model; elsewhere the queries' vectors are remembered. Ours answers a hybrid search with fusion and provenance,
and logs it; "by vector alone" is what Chroma does: the ten nearest, with text and URI. Chroma is given the queries'
vectors: it embeds nothing.

What logging, access filter and telemetry cost is measured with servers that stand side by side and are asked in turn;
the filtered caller may see all that there is, so that both find the same.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from kb.base import KnowledgeBase
from kb.callers import add_key, remove_key
from kb.home import DEFAULT_MODEL
from scripts.benchmarks.daemon import home_of
from scripts.benchmarks.serve_parts.asking import Target, ask
from scripts.benchmarks.serve_parts.chroma import chroma
from scripts.benchmarks.serve_parts.collector import collector
from scripts.benchmarks.serve_parts.entry import served
from scripts.benchmarks.store_parts.building import Places, build, living_rows
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.latency import Throughput, timed
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.passages import DATA, passages, questions
from scripts.benchmarks.store_parts.publishing import PIPELINE, open_made
from scripts.benchmarks.store_parts.report import Report
from scripts.stresses.parts.paragraphs import paragraphs
from scripts.stresses.parts.up import KB, environment, up

CALLERS: Final = (1, 8, 32, 100)
WELL_KNOWN: Final = 100
"""Questions that are asked again and again."""
KEYS: Final = {"bench-all": ("auditor", ()), "bench-some": ("reader", ("staff",))}


@dataclass(frozen=True, slots=True)
class Form:
    """Live chunks, commits after the first, seconds of each measurement, rounds of what stands side by side."""

    size: int
    commits: int
    seconds: float
    rounds: int
    commands: int
    """Times that the command is run."""


FULL: Final = Form(100_000, 300, 20, 5, 20)
QUICK: Final = Form(10_000, 4, 0.8, 2, 2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench serve", description="A server's throughput, latencies and overheads.")
    parser.add_argument("--quick", action="store_true", help="about two minutes: 10,000 chunks")
    parser.add_argument("--size", type=int, metavar="N", help="live chunks, 100,000 by default")
    parser.add_argument("--commits", type=int, metavar="N", help="after the first, 300 by default")
    parser.add_argument("--seconds", type=float, metavar="N", help="of each measurement, 20 by default")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what is built there, to be found again")
    parser.add_argument("--chroma", type=Path, metavar="PROGRAM", help="`chroma` of another virtual environment")
    asked = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(2, f"bench serve: the texts are missing: put them into {DATA}\n")
    form = QUICK if asked.quick else FULL
    given = {name: value for name in ("size", "commits", "seconds") if (value := getattr(asked, name)) is not None}
    with tempfile.TemporaryDirectory() as temporary:
        measure(replace(form, **given), Path(temporary), (asked.keep or Path(temporary)).absolute(), asked.chroma)


def measure(form: Form, temporary: Path, keep: Path, program: Path | None) -> None:
    places = Places(keep / f"store-{form.size}-{form.commits}")
    built = build(places, Corpus(passages(), form.size), form.commits, with_rivals=False)
    report = Report()
    print(f"{form.size:,} chunks, {built.head} versions, {form.seconds:g} s of each")
    with keyed(places.home) as tokens:
        throughput(form, report, places.home, tokens)
        beside(form, report, places.home, tokens, program, temporary / "chroma")
        overheads(form, report, places.home, tokens)
    commands(form, report, temporary / "command")
    report.verdict()


@contextmanager
def keyed(home: Path) -> Iterator[Mapping[str, str]]:
    """Callers' keys, which are taken back."""
    with open_made(home) as base:
        left = _keys_of(base)
        for name in left:
            remove_key(base.catalog, name)
        yield {name: add_key(base.catalog, name, *how)[1] for name, how in KEYS.items()}  # type: ignore[arg-type]
        for name in KEYS:
            remove_key(base.catalog, name)


def _keys_of(base: KnowledgeBase) -> list[str]:
    """Those that an interrupted run has left."""
    from kb.catalog import keys

    with base.catalog.reading() as connection:
        return [key.name for key in keys.listed(connection) if key.name in KEYS]


def target(url: str, token: str, asked: Sequence[str], **settings: Any) -> Target:
    bodies = [json.dumps({"query": query, **settings}).encode() for query in asked]
    return Target(f"{url}/v1/search", bodies, {"Authorization": f"Bearer {token}"})


# Throughput


def throughput(form: Form, report: Report, home: Path, tokens: Mapping[str, str]) -> None:
    asked = questions()
    report.heading("Searches over HTTP, hybrid, real model")
    with served(home, "real") as url:
        known = target(url, tokens["bench-all"], asked[:WELL_KNOWN])
        ask(known, 8, form.seconds)
        fresh = iter(_never_asked(asked))
        rows = []
        for callers in CALLERS:
            new = target(url, tokens["bench-all"], [next(fresh) for _ in range(4_000)])
            rows.append(_row("model included", ask(new, callers, form.seconds)))
        rows += [_row("query's vector remembered", ask(known, callers, form.seconds)) for callers in CALLERS]
    report.table(["", "callers", "queries a second", "p50, ms", "p99, ms"], rows)


def _never_asked(asked: Sequence[str]) -> Iterator[str]:
    number = 0
    while True:
        for question in asked:
            number += 1
            yield f"{question} {number}"


def _row(name: str, found: Throughput) -> list[str]:
    return [name, str(found.callers), f"{found.per_second:.0f}", f"{found.times.p50:.1f}", f"{found.times.p99:.1f}"]


def beside(
    form: Form, report: Report, home: Path, tokens: Mapping[str, str], program: Path | None, directory: Path
) -> None:
    """Ours and Chroma's server, at each count of callers one after the other."""
    if program is None or not program.is_file():
        report.note("No Chroma here (`--chroma PROGRAM`): left out.")
        return
    asked = questions()[:WELL_KNOWN]
    with open_made(home) as base:
        rows = living_rows(base.store.chunks(PIPELINE.space, PIPELINE.dimensions), base.log(1)[0].version)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    report.heading(f"Beside Chroma's server (command line {version}), the same vectors and texts")
    directory.mkdir()
    with chroma(program, directory, rows, list(MadeEmbedder().embed(asked))) as rival, served(home) as url:
        token = tokens["bench-all"]
        contenders = {
            "ours, by vector alone": target(url, token, asked, mode="dense"),
            "ours, hybrid": target(url, token, asked),
            "Chroma, by vector": rival,
        }
        for one in contenders.values():
            ask(one, 8, form.seconds / 2)
        found = [(name, ask(one, callers, form.seconds)) for callers in CALLERS for name, one in contenders.items()]
    shown = [_row(name, one) for name, one in sorted(found, key=lambda pair: list(contenders).index(pair[0]))]
    report.table(["", "callers", "queries a second", "p50, ms", "p99, ms"], shown)


# Overheads


def overheads(form: Form, report: Report, home: Path, tokens: Mapping[str, str]) -> None:
    asked, everything, some = questions()[:WELL_KNOWN], tokens["bench-all"], tokens["bench-some"]
    with ExitStack() as stack:
        logged = stack.enter_context(served(home))
        bare = stack.enter_context(served(home, logs=False))
        traced = stack.enter_context(served(home, logs=False, telemetry=stack.enter_context(collector())))
        contenders = {
            "nothing": target(bare, everything, asked),
            "logging": target(logged, everything, asked),
            "access filter": target(bare, some, asked),
            "telemetry": target(traced, everything, asked),
        }
        found: dict[str, list[Throughput]] = defaultdict(list)
        for one in contenders.values():
            ask(one, 8, form.seconds)
        for _ in range(form.rounds):
            for name, one in contenders.items():
                found[name].append(ask(one, 8, form.seconds))
    rates = {name: statistics.median(one.per_second for one in rounds) for name, rounds in found.items()}
    middles = {name: statistics.median(one.times.p50 for one in rounds) for name, rounds in found.items()}
    report.heading(f"What is on, 8 callers (median of {form.rounds} rounds)")
    rows = [
        [name, f"{rates[name]:.0f}", f"{rates[name] / rates['nothing'] - 1:+.1%}", f"{middles[name]:.1f}"]
        for name in contenders
    ]
    report.table(["on", "queries a second", "beside nothing", "p50, ms"], rows)


# The command


def commands(form: Form, report: Report, directory: Path) -> None:
    """`kb search` with the real model, alone and through the daemon."""
    (directory / "docs").mkdir(parents=True)
    for number, text in enumerate(paragraphs()[:60]):
        (directory / "docs" / f"{number}.md").write_text(text)
    home = home_of(directory, DEFAULT_MODEL)
    alone = _command(home, form.commands)
    with up(home) as daemon:
        daemon.await_ready()
        through = _command(home, form.commands)
    report.heading(f"`kb search`, a process each, {form.commands} times, s")
    rows = [
        ["without a daemon", f"{statistics.median(alone):.2f}", f"{max(alone):.2f}", ""],
        [
            "through the daemon",
            f"{statistics.median(through):.2f}",
            f"{max(through):.2f}",
            report.at_most("`kb search` through the daemon", statistics.median(through), 1, "s"),
        ],
    ]
    report.table(["", "median", "longest", "target"], rows)


def _command(home: Path, times: int) -> list[float]:
    """Seconds; the first is not counted."""
    words = [str(KB), "--home", str(home), "search", "how are versions published"]
    return [
        timed(lambda: subprocess.run(words, env=environment(), check=True, capture_output=True)) / 1000
        for _ in range(times + 1)
    ][1:]


if __name__ == "__main__":
    main()
