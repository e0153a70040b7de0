"""The kind `git`: the files of a repository's branch, as they are now or with their past."""

from connectors.git.connector import GitConnector
from connectors.git.options import GitOptions

__all__ = ["GitConnector", "GitOptions"]
