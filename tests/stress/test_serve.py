"""The short form of `scripts/stress serve`."""

import re

from stress_support import stress


def test_clients_of_a_server_see_no_error_beside_a_publisher_and_kills_lose_nothing() -> None:
    run = stress("serve", "--seconds=4", "--clients=8", "--documents=12", "--kills=1")
    assert run.returncode == 0, run.stderr
    for words in (
        r"^\d+ replies, \d+ a second; p50 .* 0 errors$",
        r"^memory of the server \d+ MB",
        r"^\d+ versions; \d+ exact answers are the library's; [1-9]\d* lines of the request log are whole$",
        r"^1 kills of a server: [1-9]\d* replies, [1-9]\d* lines",
        r"^1 kills of a daemon: [1-9]\d* replies, [1-9]\d* lines",
    ):
        assert re.search(words, run.stdout, re.MULTILINE), (words, run.stdout)
