"""The short form of `scripts/stress disk`."""

import re

import pytest
from stress_support import stress


def test_a_full_or_read_only_disk_stops_a_sync_and_nothing_else() -> None:
    run = stress("disk", "--trials", "2", "--seed", "4")
    if run.returncode == 3:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert re.search(r"^2 trials: .*refused by a full disk", run.stdout), run.stdout
    assert "refused by a read-only home" in run.stdout
