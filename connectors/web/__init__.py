"""The kind `web`: pages."""

from connectors.web.connector import WebConnector
from connectors.web.options import WebOptions

__all__ = ["WebConnector", "WebOptions"]
