"""Which sources are behind their freshness target: told by one small query, whether a daemon runs or not."""

from collections.abc import Collection
from datetime import datetime

from kb import duration, sight
from kb.access import Keys
from kb.answers import Coverage
from kb.catalog import Connection, runs


def coverage(connection: Connection, moment: datetime, keys: Keys, names: Collection[str] = ()) -> Coverage:
    """Of the sources of those names, or of all; of those alone that the keys open."""
    told = (target for target in runs.targets(connection) if not names or target.source in names)
    # Whoever may see a source is asked of all of them: how long that takes tells nothing of those that are behind.
    seen = [one for one in told if keys is None or sight.shows_source(connection, one.source, keys)]
    behind = tuple(one.source for one in seen if stale(one.fresh_within, age_s(one.known, moment)))
    return Coverage(not behind, behind)


def age_s(known: datetime | None, moment: datetime) -> float | None:
    """Of what is known of a source; None where it was never read."""
    return max(0.0, (moment - known).total_seconds()) if known else None


def stale(fresh_within: str | None, lag_s: float | None) -> bool | None:
    """None where there is no target. What was never read is stale, too."""
    if fresh_within is None:
        return None
    return lag_s is None or lag_s > duration.seconds(fresh_within)
