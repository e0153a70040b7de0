"""The short form of `scripts/stress answers`."""

import re

from stress_support import stress


def test_old_versions_answer_the_same_whatever_happens_around_them() -> None:
    run = stress("answers", "--size=300", "--before=4", "--after=4", "--samples=3", "--questions=1")
    assert run.returncode == 0, run.stderr
    places = re.findall(r"^(.*): 3 exact answers the same to the byte; default overlap", run.stdout, re.MULTILINE)
    assert places == ["after more commits and upkeep", "after retention", "in a copy elsewhere"], run.stdout
