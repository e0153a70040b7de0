"""What tests of images begin with."""

from pathlib import Path

import pytest
from image_support import Shelf, make_small


@pytest.fixture
def small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.publish(born=20, dying=0)
    made.publish(born=2)
    return made
