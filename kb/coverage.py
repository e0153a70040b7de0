"""Which sources are behind their freshness target: told by one small query, whether a daemon runs or not."""

from collections.abc import Collection
from datetime import datetime

from kb import duration, sight
from kb.access import Keys
from kb.answers import Coverage
from kb.catalog import Connection, runs


def coverage(connection: Connection, moment: datetime, keys: Keys, names: Collection[str] = ()) -> Coverage:
    """Of the sources of those names, or of all; of those alone that the keys open."""
    seen = None if keys is None else {source.name for source in sight.listed_sources(connection, keys)}
    behind = tuple(
        target.source
        for target in runs.targets(connection)
        if (not names or target.source in names)
        and (seen is None or target.source in seen)
        and stale(target.fresh_within, age_s(target.known, moment))
    )
    return Coverage(not behind, behind)


def age_s(known: datetime | None, moment: datetime) -> float | None:
    """Of what is known of a source; None where it was never read."""
    return max(0.0, (moment - known).total_seconds()) if known else None


def stale(fresh_within: str | None, lag_s: float | None) -> bool | None:
    """None where there is no target. What was never read is stale, too."""
    if fresh_within is None:
        return None
    return lag_s is None or lag_s > duration.seconds(fresh_within)
