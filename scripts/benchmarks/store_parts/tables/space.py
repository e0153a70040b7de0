"""The tables of disk: the history's bytes, and what retention gives back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from scripts.benchmarks.store_parts import retention
from scripts.benchmarks.store_parts.disk import Sizes
from scripts.benchmarks.store_parts.rivals import RIVALS
from scripts.benchmarks.store_parts.subject import Subject


def disk(subject: Subject) -> None:
    """Bytes after upkeep, in all and for each changed chunk."""
    report, built = subject.report, subject.built
    changed = sum(built.changed)
    grown = built.final.less(built.filled)
    copies = float(np.mean(built.copy_bytes)) * built.head
    rows = [["**Palimpsest**", _mb(built.final.total), f"{grown.total / changed:,.0f}"]]
    for part in ("chunks", "texts", "catalog"):
        rows.append([f"of it {part}", _mb(getattr(built.final, part)), f"{getattr(grown, part) / changed:,.0f}"])
    for name, size in built.rival_bytes.items():
        rows.append([RIVALS[name], _mb(size), f"{(size - built.copy_bytes[0]) / changed:,.0f}"])
    rows.append(
        ["a full copy per version (two measured)", _mb(copies), f"{(copies - built.copy_bytes[0]) / changed:,.0f}"]
    )
    report.heading(f"Disk after {built.commits} commits that changed {changed:,} chunks, upkeep done")
    report.table(["", "MB", f"bytes a changed chunk (text, tokens, vector: {built.payload:,.0f})"], rows)


def thinning(subject: Subject) -> None:
    """Retention to the last versions, beside a fresh build of them."""
    report, root = subject.report, subject.places.root
    with _emptied(root / "thinned") as place:
        thinned = retention.thinned(subject.places.home, place)
    with _emptied(root / "fresh") as place:
        fresh = retention.fresh(place, subject.corpus, subject.built.commits)
    report.heading(f"After retention to the last {retention.LAST} versions, MB")
    report.table(["", "in all", "chunks", "texts", "catalog"], [_sizes("retained", thinned), _sizes("fresh", fresh)])
    report.note(f"Retained by fresh: {thinned.total / fresh.total:.2f}.")


@contextmanager
def _emptied(place: Path) -> Iterator[Path]:
    """A place inside of a directory that goes at the end."""
    with tempfile.TemporaryDirectory(dir=place.parent) as directory:
        yield Path(directory) / place.name


def _sizes(name: str, sizes: Sizes) -> list[str]:
    return [name, *(_mb(size) for size in (sizes.total, sizes.chunks, sizes.texts, sizes.catalog))]


def _mb(size: float) -> str:
    return f"{size / 1e6:,.1f}"
