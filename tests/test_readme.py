"""The README is kept true: its tour is run as it stands, its Python as it stands, its tables against the program."""

import doctest
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click import Group

from indexer.cli import root
from kb.home import Config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
_MATCH = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def tour() -> list[tuple[str, str]]:
    """Each command of the console blocks, with the output that the README shows for it."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)
    assert len(steps) > 15
    return steps


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the tour was run, each command with the output that the README promises."""
    place = tmp_path_factory.mktemp("tour")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("KB_HOME", None)
    for command, promised in tour():
        done = subprocess.run(command, shell=True, cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert doctest.OutputChecker().check_output(promised.replace("```", ""), done.stdout, _MATCH) or not promised, (
            f"{command} printed:\n{done.stdout}\nwhere the README shows:\n{promised}"
        )
    return place


def test_the_tour_gives_what_it_shows(toured: Path) -> None:
    assert (toured / ".kb" / "config.toml").is_file()


def test_the_python_example_runs(toured: Path) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    done = subprocess.run([sys.executable, "-c", example[1]], cwd=toured, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "14 days" in done.stdout


def test_every_command_and_setting_is_documented() -> None:
    assert isinstance(root, Group)
    assert [name for name in root.commands if f"`kb {name}" not in README] == []
    assert [field.name for field in fields(Config) if f"| `{field.name}` |" not in README] == []
