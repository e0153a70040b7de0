"""What tells that a row changed: its watermark where that can be trusted, the digest of its document otherwise."""

from dataclasses import dataclass

from connectors.sql import watermark
from connectors.sql.document import compose
from connectors.sql.failures import shown
from connectors.sql.options import SqlOptions
from connectors.sql.relation import Row
from kb.digest import digest

_RULES = 1
"""Raised when a change makes other documents of the same rows: watermarks do not tell of that."""


@dataclass(frozen=True, slots=True)
class Stamps:
    options: SqlOptions
    shape: str
    """Stands for all that makes another document of a row with the same watermark."""

    def of_watermark(self, row: Row) -> str | None:
        """None where the row has no watermark."""
        mark = watermark.mark(row.watermark)
        return None if mark is None else f"{self.shape} {mark}"

    def of_content(self, row: Row) -> str:
        """Equal for rows that make equal documents. What is too large is told by its size: none of it is taken in."""
        if row.too_large:
            return digest("too large", dict(row.too_large))[:32]
        return compose(self.options, row.contents).digest

    def now(self, row: Row, listed: str) -> str | None:
        """The row's stamp where it is no longer the listed one, else None."""
        of_content = self.of_content(row)
        return None if listed in (of_content, self.of_watermark(row)) else of_content


def stamps(options: SqlOptions) -> Stamps:
    """The database counts without user and password, which say nothing of what is in it."""
    database = shown(options.database.set(username=None, password=None))
    rows = (options.query, options.table, options.key)
    contents = (options.text, options.title, options.metadata, options.updated_at)
    return Stamps(options, digest("sql", _RULES, database, rows, contents)[:12])
