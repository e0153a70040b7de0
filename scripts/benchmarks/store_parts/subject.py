"""What is measured and how much of it: the subject that each table is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.benchmarks.store_parts.building import Built, Places
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.report import Report


@dataclass(frozen=True, slots=True)
class Form:
    """How much is built and asked. A contender or a comparison that has taken its seconds is not asked further."""

    size: int
    commits: int
    questions: int = 300
    contender_s: float = 60
    compared: int = 300
    """With BM25's reference; with exact hybrid search a third of them."""
    compare_s: float = 1_500
    recalled: int = 60
    recall_s: float = 30
    called: int = 600
    served: int = 500
    versions: int = 5_000
    """Of the knowledge base with many."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was built, the questions to ask it, and the report to write."""

    form: Form
    places: Places
    corpus: Corpus
    built: Built
    asked: Sequence[str]
    report: Report
