"""Every reading command prints JSON of exactly the promised shape, and changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from cli_shapes import (
    ANSWER,
    DIFF,
    DOCUMENT,
    NOTHING,
    PLAN,
    QUARANTINED,
    RETENTION,
    SERVED,
    SHOWN,
    SNAPSHOT,
    SOURCE,
    STATUS,
    VERIFICATION,
    check_shape,
)
from cli_support import reply, said, two_sources
from crash_support import frozen


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("cli"))


SHAPES: dict[str, Any] = {
    "search alpha": ANSWER,
    "search alpha --mode bm25 --exact -k 2 --as-of 1": ANSWER,
    "search alpha --mode dense --filter source=code --filter uri=*.py": ANSWER,
    "log": [SNAPSHOT],
    "log -n 1 --source code": [SNAPSHOT],
    "show": SHOWN,
    "show first": SHOWN,
    "diff 1 head": DIFF,
    "diff 2 1 --text": DIFF,
    "diff 1 2 --level chunks": DIFF,
    "diff 1 head --level results --query days --query alpha": DIFF,
    "history docs:refunds.md": [DOCUMENT],
    "cat docs:refunds.md --as-of 1": {"version": DOCUMENT, "as_of": SERVED, "text": str},
    "tag --list": {"first": int},
    "status": STATUS,
    "quarantine": [QUARANTINED],
    "quarantine list docs": [QUARANTINED],
    "verify": VERIFICATION,
    "verify --sources": VERIFICATION,
    "source list": [SOURCE],
    "source show docs": SOURCE,
    "source check code": {"documents": int, "revision": (str, NOTHING), "skipped": dict},
    "plan": [PLAN],
    "plan docs": [PLAN],
    "retain --keep-last 2 --dry-run": RETENTION,
    "retain --keep-hourly 1 --keep-within 1h --keep-tagged --dry-run": RETENTION,
}


@pytest.mark.parametrize(("arguments", "shape"), SHAPES.items(), ids=SHAPES)
def test_json(home: Path, arguments: str, shape: Any) -> None:
    before = frozen(home)
    found = reply(home, *arguments.split())
    check_shape(found, shape)
    assert found
    assert said(home, *arguments.split()).strip()
    assert frozen(home) == before
