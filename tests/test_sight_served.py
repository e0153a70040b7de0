"""Through a server, too, a caller's knowledge base is the one in which nothing hidden from it ever was."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from service_support import serving
from sight_served import by_awaited_client, by_client, by_routes, by_tools
from sight_worlds import QUERIES, SOURCES, URIS, Steps, World, callers, names, steps, worlds

import kb
from kb.callers import add_key

ASKED: Mapping[str, Sequence[str]] = {
    "sources": [*SOURCES, "other"],
    "uris": [name for source in SOURCES for uri in URIS for name in names(source, uri)],
    "queries": list(QUERIES),
}


def answers(world: World, groups: Sequence[str]) -> dict[str, Any]:
    """By way and question, with a real key and a real server."""
    home = world.bench.home.path
    with kb.open(home) as base:
        base.tag("newest")
        token = add_key(base.catalog, "member", "reader", tuple(groups))[1]
        versions = sorted(snapshot.version for snapshot in base.seen_by(groups).log(None))
    with serving(home) as server:
        ways = {"client": by_client, "awaited": by_awaited_client, "routes": by_routes, "tools": by_tools}
        found = {way: ask(server.url, token, versions, ASKED) for way, ask in ways.items()}
    assert found["awaited"] == found["client"]
    return {f"{way}: {name}": answer for way, told in found.items() for name, answer in told.items()}


@given(taken=steps, groups=callers)
@settings(max_examples=max(2, settings().max_examples // 100))
def test_a_server_answers_as_if_the_hidden_never_was(taken: Steps, groups: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        both = worlds(Path(place), taken, groups)
        whole, twin = (answers(world, groups) for world in both)
        for world in both:
            world.close()
    assert whole.keys() == twin.keys()
    for question, answer in whole.items():
        assert answer == twin[question], question
