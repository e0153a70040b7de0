"""A sync that takes its room, or the right to write, from itself at a moment of its work; run as a program.

Errors go through the frame of `kb`, as those of `kb sync` do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from indexer.writer import Writer
from kb.cli.frame import run
from scripts.stresses.parts.moments import Moment, at
from scripts.stresses.parts.volume import Volume

_ROOT: Final = Path(__file__).resolve().parents[3]
_OVERRIDES: Final = "-dac_override,-dac_read_search"
"""By these the superuser writes whatever the permissions say."""


def can_obey() -> bool:
    """Whether a process can be started to which permissions apply."""
    return os.geteuid() != 0 or shutil.which("setpriv") is not None


def start(home: Path, moment: Moment, what: str, argument: str) -> "subprocess.Popen[str]":
    """Starts one; `what` is `fill`, with the bytes that are left, or `close`, with a directory."""
    power = ["setpriv", f"--bounding-set={_OVERRIDES}", f"--inh-caps={_OVERRIDES}"] if not os.geteuid() else []
    told = [str(home), moment.step, moment.subject, str(moment.time), what, argument]
    return launch([*power, sys.executable, "-m", __name__, *told])


def launch(command: list[str]) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    return subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def close(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def reopen(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def main() -> int:
    home, step, subject, time, what, argument = sys.argv[1:]
    acts: dict[str, Callable[[], None]] = {
        "fill": lambda: Volume(Path(home).parent).fill(int(argument)),
        "close": lambda: close(Path(argument)),
    }

    @click.group(invoke_without_command=True)
    def sync() -> None:
        Writer(Path(home), at(Moment(step, subject, int(time)), acts[what])).sync()

    sys.argv = sys.argv[:1]
    return run(sync)


if __name__ == "__main__":
    sys.exit(main())
