"""What a daemon that has just begun waits for: what was left undone is taken back, model and extraction are loaded."""

import gc
import threading

from indexer.daemon.log import Log
from indexer.extract.shared import SharedPool
from indexer.prepare import Task, prepare
from indexer.session import Session
from kb.errors import Interrupted


class Readiness:
    """For any number of threads."""

    def __init__(self) -> None:
        self.waiting: str | None = "what was left undone is being taken back"
        """Why requests cannot be answered yet; None once they can."""
        self.prepared = threading.Event()
        """Whether the store may be written."""

    def load(self, session: Session, pool: SharedPool, log: Log) -> None:
        """Has everything at hand before the first change comes."""
        self.waiting = "the model is being loaded"
        try:
            session.embedder().embed(["ready"])
            # Opens the table of what is known, where there is one.
            session.known_vectors([""])
            self.waiting = "extraction is being started"
            pool.warm(prepare, Task(b"ready", "ready.txt", None, session.pipeline.embedder))
        except Interrupted:
            return
        except Exception as error:
            self.waiting = str(error)
            log.error("cannot get ready", error=str(error))
            return
        # What lives until the end is not to be looked through for garbage.
        gc.freeze()
        self.waiting = None
        log.info("ready")
