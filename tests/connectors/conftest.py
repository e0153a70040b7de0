"""What the connectors' tests stand on: the kinds of source, repositories, and a user who may not everything."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import s3_support
from webreading import browse as browse
from webreading import site as site
from worlds import WORLDS, Repository

from connectors.git import GitConnector, GitOptions

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
NOBODY = 65534


@pytest.fixture(scope="session", autouse=True)
def _servers():
    """Ends what servers the tests started."""
    yield
    s3_support.stop()


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
def connect(tmp_path):
    """Makes git connectors on a repository, path or URL, and closes them."""
    made = []

    def make(url, *, max_bytes: int = 2**20, **options) -> GitConnector:
        url = url.path if isinstance(url, Repository) else url
        connector = GitConnector(GitOptions(str(url), **options), workspace=tmp_path / "workspace", max_bytes=max_bytes)
        made.append(connector)
        return connector

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def shared():
    """The folder of public material."""
    assert SHARED.is_dir(), f"{SHARED} is missing: the tests read their material from there"
    return SHARED


@pytest.fixture
def open_path():
    """A directory that every user may enter, as pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o755)
    shutil.rmtree(path)


@contextmanager
def _unprivileged():
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def unprivileged():
    """Within it file permissions hold, even where the tests run as root."""
    return _unprivileged


@pytest.fixture(scope="session", params=WORLDS, ids=lambda kind: kind.__name__)
def kind(request):
    """Each kind of world in turn."""
    needs = request.param.needs
    return partial(request.param, **{needs: request.getfixturevalue(needs)}) if needs else request.param


@pytest.fixture
def world(kind, tmp_path):
    made = kind(tmp_path)
    yield made
    made.close()
