"""The short form of `scripts/stress disk`."""

import pytest
from stress_support import stress


def test_a_full_or_read_only_disk_stops_a_sync_and_nothing_else() -> None:
    run = stress("disk", "--only=fill at commit rows 1, 0 bytes left", "--only=read-only")
    if run.returncode == 3:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert run.stdout == "2 trials: 1 refused by a full disk, 1 refused by a read-only home\n"
