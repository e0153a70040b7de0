"""Runs shell lines from standard input as a transcript: each is shown, then done.

`kb` runs in this one process, so that the model's libraries, some seconds of imports, are paid for once.
"""

import shlex
import subprocess
import sys

from indexer.cli import root
from kb.cli.frame import run


def do(line: str) -> int:
    words = shlex.split(line)
    if words[0] != "kb":
        return subprocess.run(line, shell=True).returncode
    sys.argv[1:] = words[1:]
    return run(root)


def main() -> None:
    for line in sys.stdin.read().splitlines():
        if line.startswith("#"):
            print(f"\n{line}", flush=True)
        elif line:
            print(f"\n$ {line}", flush=True)
            code = do(line)
            if code:
                sys.exit(code)


if __name__ == "__main__":
    main()
