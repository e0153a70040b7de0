"""stress fuzz: requests that nobody means, to a real server: none may end in a 500, and it must live on unharmed.

Two of three are made by schemathesis from the OpenAPI document, as it allows and as it does not, with an admin's key;
the others are whole requests whose bytes were changed by chance, those for agents' tools among them. In the end the
server answers as before, its memory is flat, and its request log is whole.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

import kb
from kb.callers import add_key
from kb.http.app import openapi
from scripts.stresses.parts import hostile
from scripts.stresses.parts.replies import logged
from scripts.stresses.parts.served import Served, served
from scripts.stresses.parts.shelves import Shelves
from scripts.stresses.parts.told import must, outcome

FLAT_MB: Final = 60
ENOUGH: Final = 20_000
"""Requests from which on memory tells anything."""
AT_ONCE: Final = 8
EACH: Final = 40
"""Requests of one operation in a row."""


@dataclass(frozen=True, slots=True)
class Form:
    requests: int
    seed: int


@dataclass
class Tally:
    """Statuses of replies."""

    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, status: int, content: bytes, request: Callable[[], str]) -> None:
        """Raises Broken for an error of the server; that it has too much to do is none."""
        with self.lock:
            self.statuses[status] += 1
        broken = (status >= 500 and status != 503) or b"urn:palimpsest:InternalError" in content
        must(not broken, f"{status} {content[-300:]!r} to {request() if broken else ''}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="stress fuzz", description="Requests that nobody means.")
    parser.add_argument("--requests", type=int, default=100_000, metavar="N", help="100,000 by default")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choices")
    form = Form(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as directory:
        return outcome("fuzz", lambda: run(Path(directory), form))


def run(directory: Path, form: Form) -> None:
    shelves = Shelves(directory / "shelves", 12)
    shelves.sync()
    with kb.open(shelves.home) as base:
        token = add_key(base.catalog, "admin", "admin", ())[1]
    tally, began = Tally(), time.monotonic()
    with served(shelves.home) as server:
        server.await_ready()
        memory = []
        for half in range(2):
            described(server.url, token, form.requests // 3, tally, form.seed + half)
            raw(server.url, token, form.requests // 2 - form.requests // 3, tally, form.seed + half)
            memory.append(server.held_mb())
        answers(server, token)
    many = sum(tally.statuses.values())
    must(many >= form.requests - 2, f"{many} requests were made of {form.requests}")
    lines = logged(shelves.home, [])
    statuses = ", ".join(f"{count} {status or 'hung up'}" for status, count in sorted(tally.statuses.items()))
    print(f"{many} requests in {time.monotonic() - began:.0f} s, no 500: {statuses}")
    print(f"memory {memory[0]:.0f} MB after a half, {memory[1]:.0f} MB at the end; {lines} lines of the log are whole")
    flat = form.requests < ENOUGH or memory[1] - memory[0] < FLAT_MB
    must(flat, f"memory grows: {memory[0]:.0f} MB, then {memory[1]:.0f} MB")


def described(url: str, token: str, count: int, tally: Tally, seeded: int) -> None:
    """One operation after the other, again and again."""
    schema = schemathesis.openapi.from_dict(openapi())
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    chance, left = random.Random(seeded), count
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"

        def ask(case: Any) -> None:
            nonlocal left
            if left <= 0:
                return
            left -= 1
            try:
                found = case.call(base_url=url, session=session, timeout=60)
            except requests.exceptions.InvalidHeader:
                # No client can send it.
                return
            tally.take(found.status_code, found.content, case.as_curl_command)

        while left > 0:
            for operation in operations:
                mode = chance.choice(list(GenerationMode))
                _generate(operation.as_strategy(generation_mode=mode), ask, chance.getrandbits(32))


def _generate(strategy: Any, ask: Callable[[Any], None], seeded: int) -> None:
    @seed(seeded)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(case: Any) -> None:
        ask(case)

    # What takes no parameters cannot be given wrong ones.
    with suppress(Unsatisfiable):
        each()


def raw(url: str, token: str, count: int, tally: Tally, seeded: int) -> None:
    whole = hostile.requests(token)

    def one(number: int) -> None:
        chance = random.Random(f"{seeded} {number}")
        request = hostile.changed(chance.choice(whole), chance)
        status, content = hostile.sent(url, request)
        tally.take(status, content, lambda: repr(request[:2_000]))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(one, range(count)):
            pass


def answers(server: Served, token: str) -> None:
    """The server does what it did before, and ends when it is told to."""
    headers = {"Authorization": f"Bearer {token}"}
    found = httpx.post(f"{server.url}/v1/search", json={"query": "version", "k": 3}, headers=headers, timeout=60)
    must(found.status_code == 200 and len(found.json()["hits"]) == 3, f"in the end it answers {found.status_code}")
    code = server.stop()
    must(code == 0, f"SIGTERM ended it with {code}")


if __name__ == "__main__":
    sys.exit(main())
