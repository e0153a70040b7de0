"""The tables of a running service: many callers, its memory, a diff, and opening a long history."""

from typing import Final

from kb.base import KnowledgeBase
from scripts.benchmarks.store_parts import opening, serving
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.latency import concurrent
from scripts.benchmarks.store_parts.passages import passages
from scripts.benchmarks.store_parts.publishing import open_made
from scripts.benchmarks.store_parts.subject import Subject

CALLERS: Final = (1, 8, 32)


def callers(subject: Subject, base: KnowledgeBase) -> None:
    """Many at once; and a serving process alone."""
    report, versions = subject.report, list(subject.built.versions.values())
    asked = (subject.asked * (subject.form.called // len(subject.asked) + 1))[: subject.form.called]
    found = [concurrent(base, versions, asked, callers) for callers in CALLERS]
    report.heading(f"Concurrent callers ({len(asked)} hybrid searches, the three versions in turn)")
    rows = [[str(one.callers), f"{one.per_second:.1f}", f"{one.times.p99:.0f}"] for one in found]
    report.table(["callers", "queries a second", "p99, ms"], rows)
    peak = serving.measure(subject.places.home, versions, subject.form.served)
    target = report.at_most("peak memory", peak, 1000, "MB")
    report.note(f"Peak memory of a process that answers {subject.form.served} searches: {peak:.0f} MB ({target}).")


def many_versions(subject: Subject) -> None:
    """What is asked of history itself: a diff, and opening a long one."""
    report = subject.report
    with open_made(subject.places.home) as base:
        before, after, changed = _one_percent(subject)
        levels = opening.diff(base, before, after)
    small = Corpus(passages(), opening.CHUNKS)
    opened = opening.measure(subject.places.root, small, subject.form.versions)
    rows = [
        [f"diff {before} {after}, {changed:,} chunks changed, {level}", f"{times.p50:.1f}", target]
        for level, times in levels.items()
        for target in [report.at_most(f"diff of {level}", times.p50, 100, "ms")]
    ]
    pairs = {
        "open and read the head": (opened.head_of_one, opened.head_of_many),
        "open and answer": (opened.answer_of_one, opened.answer_of_many),
    }
    for name, (one, many) in pairs.items():
        target = report.at_most(f"{name}, more", many.p50 - one.p50, 50, "ms")
        values = f"{one.p50:.1f}, {many.p50:.1f} ({many.p50 - one.p50:+.1f})"
        rows.append([f"{name}: 1 version, {opened.versions:,} versions", values, target])
    report.heading("History, ms (p50)")
    report.table(["", "ms", "target"], rows)


def _one_percent(subject: Subject) -> tuple[int, int, int]:
    """Two versions between which 1 % of the chunks changed, from the middle on."""
    changed, before = 0, subject.built.middle
    for after in range(before + 1, subject.built.head + 1):
        changed += subject.built.changed[after - 2]
        if changed >= subject.built.size / 100:
            break
    return before, after, changed
