"""`bench store`: what a history costs, at a hundred thousand chunks and hundreds of versions, beside other designs.

Real text (PEPs, SciFact, Cranfield; used again with a fifth of its words altered where a size asks for more) goes in
by the program's own publishing path, in documents of 10 to 40 chunks. The vectors are made: clusters and noise, from
the text alone. Every other commit changes 250 chunks, at which publishing is measured; the others 0.1 to 1 % of all.

The rivals get the same rows, commit by commit: one LanceDB version per snapshot with `checkout`, without and with
`optimize()` every 25 commits; a version column without upkeep; a fresh table of each version (its size is taken at the
first and the newest version and multiplied). `plain` is that table of the head. A rival answers by two plain queries,
by vector and by words, ten hits each with their text, on a handle that was opened and moved beforehand. Palimpsest
answers one hybrid search with fusion, provenance and a line in the request log, its image of the rows made beforehand;
making the query's vector, a tenth of a millisecond, counts. All are asked question by question, in an order by chance.
The middle version lies half way between two `optimize()` of the rival.

`--keep DIR` leaves what is built there and finds it again. A comparison that has taken its time is not asked further:
each table says how many questions it stands on.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from scripts.benchmarks.store_parts import retention
from scripts.benchmarks.store_parts.building import Places, build
from scripts.benchmarks.store_parts.corpus import Corpus
from scripts.benchmarks.store_parts.passages import DATA, passages, questions
from scripts.benchmarks.store_parts.publishing import open_made
from scripts.benchmarks.store_parts.report import Report
from scripts.benchmarks.store_parts.subject import Form, Subject
from scripts.benchmarks.store_parts.tables import publishing, searching, service, space, truth

FULL: Final = Form(100_000, 300)
QUICK: Final = Form(
    size=10_000,
    commits=60,
    questions=25,
    contender_s=2.5,
    compared=100,
    compare_s=4,
    recalled=8,
    recall_s=1,
    called=48,
    served=150,
    versions=60,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench store", description="What a history costs, beside other designs.")
    parser.add_argument("--quick", action="store_true", help="under two minutes: 10,000 chunks, 60 commits")
    parser.add_argument("--size", type=int, metavar="N", help="live chunks, 100,000 by default")
    parser.add_argument("--commits", type=int, metavar="N", help="after the first, 300 by default")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what is built there, to be found again")
    parser.add_argument("--no-rivals", action="store_true", help="ours and the plain table alone")
    asked = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(2, f"bench store: the texts are missing: put them into {DATA}\n")
    form = QUICK if asked.quick else FULL
    form = replace(form, size=asked.size or form.size, commits=asked.commits or form.commits)
    if form.size < 1_000 or form.commits < 2 * retention.LAST:
        parser.exit(2, f"bench store: give at least 1,000 chunks and {2 * retention.LAST} commits\n")
    with tempfile.TemporaryDirectory() as temporary:
        places = Places((asked.keep or Path(temporary)).absolute() / f"store-{form.size}-{form.commits}")
        measure(form, places, not asked.no_rivals)


def measure(form: Form, places: Places, with_rivals: bool) -> None:
    """Builds what is to be measured, then prints one table after the other."""
    corpus = Corpus(passages(), form.size)
    built = build(places, corpus, form.commits, with_rivals)
    print(
        f"{form.size:,} chunks in {len(corpus.documents):,} documents, filled in {built.fill.publish / 1000:.0f} s; "
        f"{form.commits} commits changed {sum(built.changed):,} chunks",
        flush=True,
    )
    subject = Subject(form, places, corpus, built, questions(), Report())
    searching.latency(subject)
    publishing.publishing(subject)
    with open_made(places.home) as base:
        base.warm()
        truth.exactness(subject, base)
        truth.recall(subject, base)
        service.callers(subject, base)
    service.many_versions(subject)
    space.disk(subject)
    space.thinning(subject)
    subject.report.verdict()


if __name__ == "__main__":
    main()
