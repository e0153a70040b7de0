"""What a loader source can be told, in which form it is stored, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from connectors import options, registry
from connectors.loader import LoaderConnector, LoaderOptions
from kb.errors import ConfigError

BASE = Path("/srv/base")


def parsed(**given: object) -> LoaderOptions:
    return options.parse("loader", LoaderOptions, given, BASE)


def test_options_are_stored_in_one_form() -> None:
    given = {
        "loader": "a.b:C.d", "arguments": '{"token": "${TOKEN}", "n": [1]}', "load_arguments": "${ALL}", "id": "a, b,",
        "ignore": "x", "directory": "here", "timeout_s": "60", "memory_mb": 100, "include": "*.md",
    }  # fmt: skip
    stored = options.canonical(parsed(**given))
    assert stored == {
        "loader": "a.b:C.d", "arguments": {"token": "${TOKEN}", "n": [1]}, "load_arguments": "${ALL}", "id": ["a", "b"],
        "ignore": ["x"], "directory": "/srv/base/here", "timeout_s": 60, "memory_mb": 100, "include": ["*.md"],
    }  # fmt: skip
    assert options.canonical(parsed(**stored)) == stored
    assert options.canonical(parsed(loader="a.b", timeout_s=1800, arguments=None)) == {"loader": "a.b"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "`loader` is missing"),
        ({"loader": "Loader"}, "dotted name"),
        ({"loader": "os;x:y"}, "dotted name"),
        ({"loader": "a:"}, "dotted name"),
        ({"loader": "a.b", "arguments": '{"token": "s3cret'}, "must be JSON"),
        ({"loader": "a.b", "arguments": '{"n": ${s3cret}}'}, "within quotes"),
        ({"loader": "a.b", "arguments": "[1]"}, "JSON object"),
        ({"loader": "a.b", "arguments": {1: 2}}, "JSON object"),
        ({"loader": "a.b", "arguments": {"a": {1, 2}}}, "JSON can say"),
        ({"loader": "a.b", "id": {"a": "b"}}, "metadata keys"),
        ({"loader": "a.b", "ignore": ["a\nb"]}, "control characters"),
        ({"loader": "a.b", "timeout_s": "0"}, "seconds from 1"),
        ({"loader": "a.b", "timeout_s": "soon"}, "seconds from 1"),
        ({"loader": "a.b", "memory_mb": True}, "megabytes from 1"),
        ({"loader": "a.b", "argument": "{}"}, "did you mean `arguments`"),
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(**given)
    assert words in str(caught.value)
    assert "s3cret'" not in str(caught.value)


def test_building_touches_nothing(tmp_path: Path) -> None:
    made = registry.build("loader", {"loader": "no.such:Thing"}, workspace=tmp_path / "w", base=tmp_path)
    assert isinstance(made, LoaderConnector)
    assert list(tmp_path.iterdir()) == []
