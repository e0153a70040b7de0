"""What a SQL source is told: the database, the rows to read, and what each column is for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors import options
from connectors.secrets import secret
from connectors.sql.query import select
from kb.errors import ConfigError

_SQLITE = re.compile(r"(sqlite(?:\+\w+)?):///([^?]*)(.*)")
_TABLE = re.compile(r'(?:("[^"]+"|[^".]+)\.)?("[^"]+"|[^".]+)')


def location(value: object, base: Path) -> str:
    """A URL of SQLAlchemy's; the path of an SQLite file is made absolute. `${NAME}` may stand for any part of it."""
    given = options.text(value, base)
    if given.startswith("${"):
        return given
    try:
        url = make_url(options.REFERENCE.sub("0", given))
    # What stands in it may be secret, so the error tells none of it.
    except (ArgumentError, ValueError):
        raise ValueError("must be a URL as SQLAlchemy reads it: DIALECT://USER:PASSWORD@HOST:PORT/DATABASE") from None
    if "@" in (url.host or ""):
        raise ValueError("has more than one `@` before its database: write `%40` for one within the password")
    return _with_file(given, url, base) if url.get_backend_name() == "sqlite" else given


def _with_file(given: str, url: URL, base: Path) -> str:
    found = _SQLITE.fullmatch(given)
    if found is None or not found[2] or found[2] == ":memory:":
        raise ValueError("names no file: an SQLite database is sqlite:///PATH")
    if found[2].startswith("file:") or url.query.get("mode"):
        raise ValueError("must name the file by its path, sqlite:///PATH; it is opened to be read only")
    if found[2].startswith("${"):
        return given
    return f"{found[1]}:///{options.path(found[2], Path(quote(str(base))))}{found[3]}"


def selecting(value: object, base: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a SELECT")
    return value.strip() if options.waits(value) else select(value)


def relation(value: object, base: Path) -> str:
    given = options.text(value, base)
    if not options.waits(given) and not _TABLE.fullmatch(given):
        raise ValueError(f"cannot be `{given}`: it is TABLE or SCHEMA.TABLE, a name with dots in double quotes")
    return given


def columns(value: object, base: Path) -> tuple[str, ...]:
    """Names as text, parted by commas, or as a list of them."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("must be columns: a list, or text with commas between them")
    names = tuple(options.text(part, base) for part in parts if part != "")
    if len(set(names)) < len(names):
        raise ValueError("names a column twice")
    return names


def some_columns(value: object, base: Path) -> tuple[str, ...]:
    names = columns(value, base)
    if not names:
        raise ValueError("must name a column")
    return names


def seconds(value: object, base: Path) -> float | str:
    """Text only where a variable is still to be put in."""
    if options.waits(value):
        return value
    try:
        found = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        found = 0.0
    if not 1 <= found <= 86400:
        raise ValueError("must be a number of seconds from 1 to 86400")
    return found


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """Exactly one of `query` and `table` is given. Raises ConfigError."""

    url: Annotated[str, location]
    key: Annotated[tuple[str, ...], some_columns]
    text: Annotated[tuple[str, ...], some_columns]
    query: Annotated[str | None, selecting] = None
    table: Annotated[str | None, relation] = None
    title: Annotated[str | None, options.text] = None
    metadata: Annotated[tuple[str, ...], columns] = ()
    updated_at: Annotated[str | None, options.text] = None
    password: Annotated[str | None, secret] = None
    timeout_s: Annotated[float, seconds] = 60.0

    def __post_init__(self) -> None:
        if (self.query is None) == (self.table is None):
            raise ConfigError("sql source: give either `query` or `table`")

    @property
    def database(self) -> URL:
        """The URL with its password."""
        url = make_url(self.url)
        return url if self.password is None else url.set(password=self.password)

    @property
    def table_name(self) -> tuple[str | None, str]:
        """Schema, where one is named, and table."""
        found = _TABLE.fullmatch(self.table or "")
        assert found is not None, "its parser saw to it"
        return found[1] and found[1].strip('"'), found[2].strip('"')

    @property
    def uses(self) -> tuple[tuple[str, str], ...]:
        """Each column that is named, and the option that names it."""
        lone = tuple((option, name) for option in ("title", "updated_at") if (name := getattr(self, option)))
        many = tuple((option, name) for option in ("key", "text", "metadata") for name in getattr(self, option))
        return many + lone
