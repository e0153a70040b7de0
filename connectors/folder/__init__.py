"""The kind `folder`: a directory's files."""

from connectors.folder.connector import FolderConnector, FolderOptions

__all__ = ["FolderConnector", "FolderOptions"]
