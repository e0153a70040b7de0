"""What a daemon that has just begun waits for before it can answer: what was left undone, and the model."""

import gc
import threading

from indexer.daemon.log import Log
from indexer.session import Session


class Readiness:
    """For any number of threads."""

    def __init__(self) -> None:
        self.waiting: str | None = "what was left undone is being taken back"
        """Why requests cannot be answered yet; None once they can."""
        self.prepared = threading.Event()
        """Whether the store may be written."""

    def load(self, session: Session, log: Log) -> None:
        """Loads the model before the first change comes."""
        self.waiting = "the model is being loaded"
        try:
            session.embedder().embed(["ready"])
        except Exception as error:
            self.waiting = str(error)
            log.error("model cannot be loaded", error=str(error))
            return
        # What lives until the end is not to be looked through for garbage.
        gc.freeze()
        self.waiting = None
        log.info("ready")
