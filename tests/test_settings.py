"""Settings that every source has: what is given is kept as it is meant, what cannot be is refused by its key."""

import re
from pathlib import Path

import pytest
from crash_support import QuickWriter, call

from indexer.creation import create
from indexer.settings import parted
from kb.errors import ConfigError


@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("every", " 10m ", "10m"),
        ("cron", "0  3 * * *", "0 3 * * *"),
        ("owner", " ada ", "ada"),
        ("fresh_within", "15m", "15m"),
        ("delete_guard", "30%", 0.3),
        ("delete_guard", "0.25", 0.25),
        ("delete_guard", 1, 1.0),
        ("keep_original", "yes", True),
        ("keep_original", "off", False),
        ("keep_original", "", False),
        ("access", "a,b", ("a", "b")),
        ("owner", "", None),
        ("delete_guard", None, None),
    ],
)
def test_what_is_given_is_parsed(key: str, given: object, kept: object) -> None:
    own, shared = parted({key: given, "path": "docs"})
    assert own == {"path": "docs"}
    assert shared[key] == kept


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("every", "often"),
        ("every", "0s"),
        ("cron", "0 3 * *"),
        ("cron", "CRON_TZ=Nowhere/Land 0 3 * * *"),
        ("fresh_within", "soon"),
        ("delete_guard", "150%"),
        ("delete_guard", "-0.1"),
        ("delete_guard", "nan"),
        ("delete_guard", "half"),
        ("keep_original", "perhaps"),
        ("owner", "ada\nkey: 1"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(key: str, given: object) -> None:
    with pytest.raises(ConfigError, match=f"^`{key}` "):
        parted({key: given})


def test_a_source_has_one_schedule() -> None:
    with pytest.raises(ConfigError, match="`every` or by `cron`"):
        parted({"every": "10m", "cron": "0 3 * * *"})
    assert parted({"cron": "0 3 * * *"})[1]["every"] is None
    assert parted({"every": "10m"})[1]["cron"] is None


def test_bad_settings_are_one_line_that_names_the_key(tmp_path: Path) -> None:
    home = create(tmp_path / "home", "hashing:8")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path)}, every="10m")
    for change in (("--cron", "0 25 * * *"), ("delete_guard=2",), ("--every", "1 day")):
        refused = call("--home", home, "source", "set", "docs", *change)
        assert refused.code == 2
        key = change[0].lstrip("-").partition("=")[0]
        assert re.fullmatch(rf"kb: `{key}` .*\n", refused.error), refused.error
    assert call("--home", home, "source", "set", "docs", "--cron", "0 3 * * *").code == 0
    with QuickWriter(home).catalog.reading() as connection:
        row = connection.exec_driver_sql("SELECT every, cron, delete_guard FROM source").one()
    assert tuple(row) == (None, "0 3 * * *", None)
