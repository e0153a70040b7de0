"""How hard Hypothesis tries: the same examples on every run, or more and new ones with HYPOTHESIS_PROFILE=long."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from postgres_support import Cluster

# A shell has what it starts in the background ignore Ctrl-C, and all that the tests start would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Real homes on a busy machine: how long an example takes says nothing.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("long", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="module", params=["indexes", "image"])
def means(request: pytest.FixtureRequest) -> Iterator[None]:
    """By what searches find their candidates: tests that ask for it run with either."""
    from image_support import by_image

    with by_image() if request.param == "image" else nullcontext():
        yield


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of retention's tests before any version expired; only copies of it are changed."""
    from retain_support import eight_versions

    return eight_versions(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def thinned(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it after a retention; only copies of this are changed, too."""
    from retain_support import thin

    return thin(whole, tmp_path_factory.mktemp("thinned") / "home")


@pytest.fixture
def whole_copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of the whole home, its sources beside it."""
    shutil.copytree(whole.parent, tmp_path / "place")
    return tmp_path / "place" / "home"


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Cluster]":
    """A PostgreSQL server, the same for all tests of a process."""
    from postgres_support import programs, running

    if programs() is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed (Debian's package postgresql has them)")
    with running() as cluster:
        yield cluster
