"""The table of search as of a version: Palimpsest and every rival, asked in turn."""

from collections.abc import Iterator, Mapping

from kb.store.candidates import probes
from scripts.benchmarks.store_parts.latency import Asking, Times, in_turn, searcher
from scripts.benchmarks.store_parts.made import MadeEmbedder
from scripts.benchmarks.store_parts.publishing import open_made
from scripts.benchmarks.store_parts.rivals import RIVALS, Ask, CheckoutPerSnapshot, Plain, VersionColumn
from scripts.benchmarks.store_parts.subject import Subject


def latency(subject: Subject) -> None:
    """As of three versions, ours and theirs."""
    report, versions = subject.report, subject.built.versions
    embedder = MadeEmbedder()
    with open_made(subject.places.home) as base:
        base.warm()
        contenders: dict[str, Asking] = {f"ours {name}": searcher(base, at) for name, at in versions.items()}
        contenders |= {name: _two_queries(ask, embedder) for name, ask in _rivals(subject)}
        times = in_turn(contenders, subject.asked[: subject.form.questions], subject.form.contender_s)
    report.heading(f"Search as of a version, ms (p50 / p99 of {len(times['ours head'].taken)} questions)")
    report.table(["", *(f"{name} ({at})" for name, at in versions.items()), "asked"], _latency_rows(subject, times))
    report.table(["", "p50", "p99", "target"], _ratio_rows(subject, times))


def _latency_rows(subject: Subject, times: Mapping[str, Times]) -> Iterator[list[str]]:
    designs = {"ours": "**Palimpsest**, hybrid"} | RIVALS
    for design, label in designs.items():
        found = [times[key] for name in subject.built.versions if (key := f"{design} {name}") in times]
        if found:
            asked = min(len(one.taken) for one in found)
            yield [label, *(f"{one.p50:.1f} / {one.p99:.1f}" for one in found), str(asked)]
    plain_tables = {
        "plain": "plain table of the head, 20 partitions",
        "thorough": f"the same, as thoroughly as ours: {_as_thoroughly(subject)} partitions",
    }
    for name, label in plain_tables.items():
        plain = times[name]
        yield [label, "", "", f"{plain.p50:.1f} / {plain.p99:.1f}", str(len(plain.taken))]


def _ratio_rows(subject: Subject, times: Mapping[str, Times]) -> Iterator[list[str]]:
    ours = [times[f"ours {name}"] for name in subject.built.versions]
    spread = [max(values) / min(values) for values in zip(*((one.p50, one.p99) for one in ours), strict=True)]
    names = {"slowest version by the fastest": (spread, 1.2), "head by the plain table": (_beside(times, "plain"), 1.5)}
    for name, (ratios, limit) in names.items():
        targets = [
            subject.report.at_most(f"{name}, {part}", ratio, limit)
            for part, ratio in zip(("p50", "p99"), ratios, strict=True)
        ]
        yield [name, *(f"{ratio:.2f}" for ratio in ratios), " / ".join(dict.fromkeys(targets))]
    yield ["head by the plain table, searched as thoroughly", *(f"{one:.2f}" for one in _beside(times, "thorough")), ""]


def _beside(times: Mapping[str, Times], plain: str) -> list[float]:
    head, other = times["ours head"], times[plain]
    return [head.p50 / other.p50, head.p99 / other.p99]


def _rivals(subject: Subject) -> Iterator[tuple[str, Ask]]:
    built, places = subject.built, subject.places
    yield "plain", Plain(places.plain).asker()
    yield "thorough", Plain(places.plain).asker(_as_thoroughly(subject))
    for name, at in built.versions.items():
        for design, lance_versions in built.lance_versions.items():
            yield f"{design} {name}", CheckoutPerSnapshot(places.rival(design), False, lance_versions).asker(at)
        if "column" in built.rival_bytes:
            yield f"column {name}", VersionColumn(places.rival("column")).asker(at)


def _as_thoroughly(subject: Subject) -> int:
    """Partitions that ours would search in the plain table."""
    return probes(subject.built.size, subject.built.size)


def _two_queries(ask: Ask, embedder: MadeEmbedder) -> Asking:
    return lambda question: ask(question, embedder.embed([question])[0])
