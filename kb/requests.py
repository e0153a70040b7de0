"""The request log's values: what was asked and answered, what a replay of it finds, and what was said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kb.answers import Answer


@dataclass(frozen=True, slots=True)
class LoggedHit:
    rank: int
    score: float
    chunk_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A search as it was answered. `query` is None where texts are not kept; `groups` where all could be seen."""

    request_id: str
    asked_at: datetime
    caller: str
    groups: tuple[str, ...] | None
    query: str | None
    reference: str
    version: int
    settings: Mapping[str, Any]
    took_ms: float
    timings: Mapping[str, float]
    hits: tuple[LoggedHit, ...]


@dataclass(frozen=True, slots=True)
class GoneHit:
    """A hit that does not come back: its document is hidden from the asker now, or it is not among the hits."""

    rank: int
    reason: Literal["hidden", "absent"]
    chunk_id: str | None
    """None for the asker where it is hidden."""


@dataclass(frozen=True, slots=True)
class MovedHit:
    """A hit of now with another rank or score than before; None where it was no hit."""

    chunk_id: str
    rank: int
    score: float
    rank_before: int | None
    score_before: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """A request asked again. `reason` says why it cannot be, and then there is no answer."""

    request_id: str
    identical: bool
    """Whether the same hits came back, in the same order, with the same scores."""
    reason: str | None
    answer: Answer | None
    gone: tuple[GoneHit, ...] = ()
    moved: tuple[MovedHit, ...] = ()


@dataclass(frozen=True, slots=True)
class Feedback:
    """Whether an answer was of use, and which passage would have been right: a chunk's id, or any words for it."""

    request_id: str
    useful: bool
    passage: str | None = None
    comment: str | None = None
    caller: str = ""
    given_at: datetime | None = None
