"""Moments of a writer's work: each is the n-th time that a step is about to be taken."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from indexer.progress import Event, Observer


@dataclass(frozen=True, slots=True)
class Moment:
    """`subject` is empty where the step has none that is the same from run to run."""

    step: str
    subject: str = ""
    time: int = 1

    def __str__(self) -> str:
        return f"{self.step} {self.subject} {self.time}".replace("  ", " ")


COMMIT: Final = tuple(Moment("commit", subject) for subject in ("intent", "texts", "rows", "ended rows"))
PUBLISH: Final = tuple(Moment("publish", subject) for subject in ("begin", "end"))
SYNC: Final = (
    *(Moment(step) for step in ("wake", "poll", "fetch", "extract", "diff", "embed")),
    *COMMIT,
    *PUBLISH,
    Moment("upkeep"),
)
RETAIN: Final = tuple(
    Moment("retain", step) for step in ("expire", "expired", "rows", "documents", "terms", "texts", "space", "end")
)
PERMIT: Final = tuple(Moment("permit", step) for step in ("intent", "rows", "settle"))


def at(moment: Moment, act: Callable[[], object]) -> Observer:
    """An observer that acts when the moment comes."""
    passed = Counter[str]()

    def observe(event: Event) -> None:
        subject = event.subject if event.step in ("commit", "publish", "retain", "permit") else ""
        if (event.step, subject) == (moment.step, moment.subject):
            passed["times"] += 1
            if passed["times"] == moment.time:
                act()

    return observe
