"""What a sync came to, over all its sources."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.sync import Synced
from kb.catalog.scan import Quarantined
from kb.nouns import Snapshot


@dataclass(frozen=True, slots=True)
class Refusal:
    """A source that could not be synced, and why."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did over all its sources; `quarantined` is all that is in quarantine now, not only what is new."""

    snapshots: tuple[Snapshot, ...]
    quarantined: tuple[Quarantined, ...]
    refused: tuple[Refusal, ...]
    skipped: Mapping[str, int]
    permitted: int
    """Documents that other groups may see than before, in all their versions."""

    @property
    def partial(self) -> bool:
        return bool(self.quarantined or self.refused)


def report(
    moved: Snapshot | None, reached: Sequence[Synced], refused: Sequence[Refusal], quarantined: Sequence[Quarantined]
) -> SyncReport:
    """`moved` is the snapshot by which the rows went to a new embedding space, if they did."""
    published = (snapshot for synced in reached for snapshot in synced.published)
    return SyncReport(
        snapshots=(*filter(None, [moved]), *published),
        quarantined=tuple(quarantined),
        refused=tuple(refused),
        skipped=sum((Counter(synced.skipped) for synced in reached), Counter()),
        permitted=sum(synced.permitted for synced in reached),
    )


def joined(parts: Sequence[SyncReport]) -> SyncReport:
    """Several reports as one."""
    return SyncReport(
        snapshots=tuple(one for part in parts for one in part.snapshots),
        quarantined=tuple(one for part in parts for one in part.quarantined),
        refused=tuple(one for part in parts for one in part.refused),
        skipped=sum((Counter(part.skipped) for part in parts), Counter()),
        permitted=sum(part.permitted for part in parts),
    )
