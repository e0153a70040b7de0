"""The short form of `scripts/stress fuzz`."""

import re

from stress_support import stress


def test_no_request_ends_in_an_error_of_the_server() -> None:
    run = stress("fuzz", "--requests=200")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^\d+ requests in \d+ s, no 500: .*\b200", run.stdout, re.MULTILINE), run.stdout
