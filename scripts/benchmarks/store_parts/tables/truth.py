"""The tables of what the quick path gives up: beside `--exact`, and under filters."""

from kb.base import KnowledgeBase
from scripts.benchmarks.store_parts import quality
from scripts.benchmarks.store_parts.subject import Subject


def exactness(subject: Subject, base: KnowledgeBase) -> None:
    """The default path beside `--exact`."""
    form, report, versions = subject.form, subject.report, list(subject.built.versions.values())
    asked = subject.asked[: form.compared]
    hybrid = quality.compare(base, "hybrid", versions, asked[: form.compared // 3], form.compare_s, None)
    bm25 = quality.compare(base, "bm25", versions, asked, form.compare_s, None)
    report.heading("The default beside `--exact`, as of the three versions in turn")
    same = 100 * bm25.same_order / bm25.questions
    report.table(
        ["", "questions", "default, ms", "exact, ms", "overlap at 10", "same top 10", "score off by", "target"],
        [
            _compared_row(subject, "hybrid", hybrid, report.at_least("hybrid overlap at 10", hybrid.overlap, 0.99)),
            _compared_row(
                subject,
                "BM25",
                bm25,
                f"{report.at_least('BM25 same top 10', same, 99.5, '%')}, "
                f"{report.at_most('BM25 score off by', bm25.score_difference, 1e-6)}",
            ),
        ],
    )


def _compared_row(subject: Subject, name: str, found: quality.Compared, target: str) -> list[str]:
    return [
        name,
        str(found.questions),
        f"{found.default.p50:.1f} / {found.default.p99:.1f}",
        f"{found.exact.p50:.1f} / {found.exact.p99:.1f}",
        f"{found.overlap:.4f}",
        f"{100 * found.same_order / found.questions:.1f} %",
        f"{found.score_difference:.1e}",
        target,
    ]


def recall(subject: Subject, base: KnowledgeBase) -> None:
    """Of the dense side, at each version and under filters that keep less and less."""
    form, report = subject.form, subject.report
    rows = []
    for name, at in subject.built.versions.items():
        found = [
            quality.compare(base, "dense", [at], subject.asked[: form.recalled], form.recall_s, glob)
            for glob in quality.FILTERS.values()
        ]
        worst = min(one.overlap for one in found)
        target = report.at_least(f"dense recall at {name}", worst, 0.99)
        rows.append([name, *(f"{one.overlap:.4f} ({one.default.p50:.1f} ms)" for one in found), target])
    index = subject.built.vector_index or "none: every vector is compared"
    report.heading(f"Recall at 10 of the dense side against exact (vector index: {index})")
    report.table(["rows kept by the filter", *quality.FILTERS, "target"], rows)
