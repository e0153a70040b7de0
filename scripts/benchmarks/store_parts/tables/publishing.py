"""The table of publishing: how long a commit takes, in which parts, and whether it grows."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scripts.benchmarks.store_parts.corpus import PUBLISHED
from scripts.benchmarks.store_parts.latency import Times
from scripts.benchmarks.store_parts.rivals import RIVALS
from scripts.benchmarks.store_parts.subject import Subject

ENDS: Final = 50
"""Commits at either end that are held against each other."""


def publishing(subject: Subject) -> None:
    """At 250 chunks, embedding excluded, upkeep apart; and whether it grows."""
    report, built = subject.report, subject.built
    taken = [one for one in built.spent if one.chunks == PUBLISHED]
    times = Times(tuple(one.publish for one in taken))
    report.heading(f"Publishing {PUBLISHED} changed chunks, ms, embedding excluded ({len(taken)} commits)")
    p50 = report.at_most("publish p50", times.p50, 100, "ms")
    p99 = report.at_most("publish p99", times.p99, 300, "ms")
    parts = {part: Times(tuple(getattr(one, part) for one in taken)) for part in ("build", "rows", "catalog")}
    upkeep = Times(tuple(one.upkeep for one in built.spent))
    rows = [["publish, p50", f"{times.p50:.0f}", p50], ["publish, p99", f"{times.p99:.0f}", p99]]
    rows += [[f"of it {part}, p50 / p99", f"{one.p50:.0f} / {one.p99:.0f}", ""] for part, one in parts.items()]
    rows += [[*_growth(subject, "growth", [one.publish for one in taken], 1.2)]]
    for name, spent in built.rival_ms.items():
        same = [ms for ms, one in zip(spent, built.spent, strict=True) if one.chunks == PUBLISHED]
        rows.append([f"{RIVALS[name]}, p50", f"{np.percentile(same, 50):.0f}", ""])
        rows.append([*_growth(subject, RIVALS[name], same, None)])
    rows.append(["upkeep apart, mean / longest", f"{np.mean(upkeep.taken):.0f} / {max(upkeep.taken):.0f}", ""])
    report.table(["", "ms", "target"], rows)


def _growth(subject: Subject, name: str, taken: Sequence[float], limit: float | None) -> tuple[str, str, str]:
    many = min(ENDS, len(taken) // 2)
    first, last = (float(np.percentile(part, 50)) for part in (taken[:many], taken[-many:]))
    target = "" if limit is None else subject.report.at_most("growth of publishing", last / first, limit)
    return f"{name}: p50 of the first and the last {many}", f"{first:.0f}, {last:.0f} ({last / first:.2f})", target
