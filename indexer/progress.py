"""What a sync tells while it works; every step is told before it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Step = Literal[
    "wake", "poll", "fetch", "extract", "permit", "diff", "embed", "commit", "publish", "upkeep", "retain", "done"
]


@dataclass(frozen=True, slots=True)
class Event:
    """A step about to be taken: the `done`-th of `total` where they are known; `subject` says of what."""

    step: Step
    source: str
    subject: str = ""
    done: int = 0
    total: int = 0
    reused: int = 0


Observer = Callable[[Event], None]


def unobserved(_event: Event) -> None:
    """The observer of those who need none."""
