"""The short form of `scripts/stress daemon`."""

import re

from stress_support import stress


def test_a_daemon_among_changes_faults_and_kills_makes_of_it_what_is_there() -> None:
    run = stress("daemon", "--seconds=24", "--kills=2", "--saves=5", "--files=150")
    assert run.returncode == 0, run.stderr
    for words in (
        r"^memory \d+ MB, then \d+ MB; open files",
        r"^\d+ versions; \d+ documents removed, all of them gone; equals a fresh build$",
        r"^\d+ s, \d+ changes, 2 kills; faults: ",
        r"^a save beside 5 that hang: median",
        r"^a checkout of 150 files: all taken in",
        r"^an overflow of 150 files: all taken in",
    ):
        assert re.search(words, run.stdout, re.MULTILINE), (words, run.stdout)
