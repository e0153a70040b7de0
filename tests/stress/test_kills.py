"""The short form of `scripts/stress kills`."""

import re

from stress_support import stress


def test_a_killed_writer_loses_doubles_and_leaves_nothing() -> None:
    run = stress("kills", "--kills", "4", "--seed", "1")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^4 kills, \d+ times the work was quicker; everything holds$", run.stdout, re.MULTILINE)
