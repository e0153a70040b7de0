"""The short form of `scripts/stress readers`."""

import re

from stress_support import stress


def test_readers_see_no_error_and_no_other_version_beside_a_writer() -> None:
    run = stress("readers", "--seconds", "6", "--size", "500")
    assert run.returncode == 0, run.stderr
    searches = re.search(r"^(\d+) searches by 4 readers without an error$", run.stdout, re.MULTILINE)
    assert searches, run.stdout
    assert int(searches[1]) >= 4
