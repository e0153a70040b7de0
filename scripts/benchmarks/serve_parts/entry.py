"""A server of a knowledge base that was made for measuring; run as a program, which prints its URL.

Its rows have made vectors. Queries' vectors are made too, or they come from the real model, which has as many
dimensions: what is found then means nothing, and takes as long as it would.
"""

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kb.base import KnowledgeBase
from kb.embedding.load import load
from kb.home import DEFAULT_MODEL, open_home
from kb.http.app import make_app
from kb.http.server import Server
from scripts.benchmarks.store_parts.made import load_made
from scripts.stresses.parts.up import environment

_PATIENCE_S: Final = 60


@contextmanager
def served(home: Path, model: str = "made", *, logs: bool = True, telemetry: str = "") -> Iterator[str]:
    """The URL of a process of its own that is warm; `model` is `made` or `real`."""
    command = [sys.executable, "-m", __name__, str(home), model, f"--telemetry={telemetry}"]
    command += [] if logs else ["--no-log"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"the server ended with {process.wait(_PATIENCE_S)}")
        yield url
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("model", choices=("made", "real"))
    parser.add_argument("--no-log", action="store_true")
    parser.add_argument("--telemetry", default="")
    asked = parser.parse_args()
    found = open_home(asked.home)
    config = replace(found.config, log_requests=not asked.no_log, telemetry=asked.telemetry)
    loads: Any = load_made if asked.model == "made" else lambda _name, _digest: load(DEFAULT_MODEL)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with closing(KnowledgeBase(replace(found, config=config), loads)) as base:
        base.warm()
        server = Server(make_app(base, lambda: None), "127.0.0.1", 0)
        server.start()
        print(server.url, flush=True)
        ended.wait()
        server.stop()


if __name__ == "__main__":
    main()
