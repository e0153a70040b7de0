"""The catalog: the small, transactional truth; the one door to SQLAlchemy."""

from kb.catalog.catalog import Catalog, Connection

__all__ = ["Catalog", "Connection"]
