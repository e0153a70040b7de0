"""Real text that every clone has: the paragraphs of the repository's own files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.benchmarks.store_parts.passages import cut

_ROOT: Final = Path(__file__).resolve().parents[3]


def paragraphs() -> Sequence[str]:
    """All different ones, in order."""
    files = sorted(
        [*_ROOT.glob("*.md"), *(path for name in ("kb", "indexer") for path in (_ROOT / name).rglob("*.py"))]
    )
    return sorted({passage for path in files for passage in cut(path.read_text("utf-8"))})
