"""Where a knowledge base is opened from a path, or from where one stands."""

from pathlib import Path

from kb.base import KnowledgeBase
from kb.home import locate, open_home


def open_path(path: str | Path | None = None) -> KnowledgeBase:
    """Opens a knowledge base by its home, or the one that `KB_HOME` or the current directory names."""
    return KnowledgeBase(open_home(locate(None if path is None else Path(path))))
