"""`kb serve`: the application alone, read-only, until a signal ends it."""

import signal
from collections.abc import Callable
from contextlib import closing
from queue import SimpleQueue

from kb.base import KnowledgeBase
from kb.callers import require_callers
from kb.home import Home
from kb.http.app import make_app
from kb.http.server import Server
from kb.http.warming import Warming


def serve(home: Home, host: str, port: int, listening: Callable[[str], None]) -> None:
    """Calls `listening` with the URL, and returns when SIGTERM or SIGINT has come and what was under way has ended.

    Raises UsageError where the address cannot be had, or can be reached from elsewhere while nobody needs a key, and
    EmbedderError where the model cannot be loaded.
    """
    # Of all that could wake the main thread, this may be used by a signal's handler.
    ended: SimpleQueue[None] = SimpleQueue()
    with closing(KnowledgeBase(home)) as base:
        require_callers(base.catalog, home.config, host)
        warming = Warming(base.warm, lambda: ended.put(None))
        server = Server(make_app(base, warming), host, port)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.put(None))
        server.start()
        listening(server.url)
        warming.start()
        ended.get()
        server.stop()
    if warming.failed is not None:
        raise warming.failed
