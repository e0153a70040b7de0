"""`kb up`: the lock, the daemon and the server in one process, until a signal ends it."""

import os
import signal
import sys
import threading
from contextlib import ExitStack, closing
from typing import Any, Final

from indexer.daemon.daemon import Daemon
from indexer.daemon.http import writing_routes
from indexer.daemon.log import Form, make_log
from indexer.lock import writer_lock
from kb.base import KnowledgeBase
from kb.callers import require_callers
from kb.daemon import Endpoint, announced, socket_place
from kb.home import Home
from kb.http.app import make_app
from kb.http.limits import Limits
from kb.http.server import Server
from kb.unwritable import writes

DRAIN_S: Final = 2
"""How long requests that are under way may take once the daemon stops."""


def up(home: Home, host: str, port: int, form: Form) -> int:
    """The exit code. Raises Locked, Unwritable, or UsageError where the address cannot be had."""
    log = make_log(form, sys.stderr)
    with ExitStack() as stack:
        with writes(home.path):
            stack.enter_context(writer_lock(home.lock))
        daemon = Daemon(home, log)
        require_callers(daemon.catalog, home.config, host)
        base = stack.enter_context(closing(KnowledgeBase(home, daemon.model)))
        # What is pushed is Base64 of many documents. A stop leaves most of its time to the sources.
        larger = {("PUT", "/v1/documents"): 4 * home.config.max_document_mb * 2**20}
        limits = Limits(larger=larger, drain_s=DRAIN_S)
        app = make_app(base, lambda: daemon.readiness.waiting, (writing_routes(daemon),), limits)
        path = stack.enter_context(socket_place(home))
        server = Server(app, host, port, path, limits)
        stack.enter_context(announced(home, Endpoint(os.getpid(), str(path), server.url)))
        _obey_signals(daemon)
        server.start()
        log.info("listening", url=server.url, home=str(home.path))
        try:
            clean = daemon.run()
        finally:
            server.stop()
    return _leave(clean)


def _obey_signals(daemon: Daemon) -> None:
    def stop(*_: Any) -> None:
        daemon.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Threads of its own: a handler must not wait for what the interrupted code holds.
    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=daemon.wake_all).start())


def _leave(clean: bool) -> int:
    """Python waits for its threads: one that hangs in a source that never answers would hold the process for ever."""
    if not clean:
        sys.stderr.flush()
        os._exit(0)
    return 0
