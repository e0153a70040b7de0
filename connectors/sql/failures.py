"""What is said where a database cannot be read: the driver's telling line, what to do, and never a secret."""

import re

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, NoSuchModuleError

from connectors.options import nearest
from kb.errors import SourceUnavailable

_REMEDIES = (
    (r"statement timeout", "make the query quicker, or raise `timeout_s`"),
    (r"authentication failed|no password|Access denied|role .* does not exist", "check its user and password"),
    (r"database .* does not exist|Unknown database", "check the database's name"),
    (r"translate host name|resolve host|not known", "check the host's name"),
    (r"refused|unreachable|No route|timed? ?out|timeout expired", "check the host and port, and that it runs"),
    (r"[Pp]ermission denied|command denied", "grant its user SELECT"),
    (r"is locked", "try again when nobody writes to it"),
)

_PACKAGES = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "cx_Oracle": "cx-oracle",
}
_DIALECTS = {
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "databricks": "databricks-sqlalchemy",
    "duckdb": "duckdb-engine",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "trino": "trino",
}
_OWN_DIALECTS = ("mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite")


def shown(url: URL) -> str:
    """Without its password and without its query, which may hold others."""
    return url.set(query={}).render_as_string(hide_password=True)


def failure(url: URL, error: Exception) -> SourceUnavailable:
    """What a failure of the driver means for the source."""
    line = telling_line(url, error)
    remedy = next((remedy for symptom, remedy in _REMEDIES if re.search(symptom, line)), "")
    if isinstance(error, DataError) and getattr(error.orig, "sqlstate", None) is None:
        # The database gave it; it is the driver that has no value for it.
        remedy = "read that column as text, by a CAST in `query`"
    return SourceUnavailable(f"database {shown(url)}: {line}{remedy and f'; {remedy}'}")


def telling_line(url: URL, error: Exception) -> str:
    """The first line of the driver's words, on which databases say what is wrong; the statement is left out."""
    words = str(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return _redacted(url, lines[0] if lines else type(error).__name__)


def not_installed(url: URL, error: ImportError | NoSuchModuleError) -> SourceUnavailable:
    """Names the package that is missing, as far as it can be known."""
    subject = f"database {shown(url)}"
    if isinstance(error, ImportError):
        module = (error.name or url.get_driver_name()).partition(".")[0]
        return SourceUnavailable(f"{subject}: its driver is missing: pip install '{_PACKAGES.get(module, module)}'")
    name = url.get_backend_name()
    if name in _DIALECTS:
        return SourceUnavailable(f"{subject}: its dialect is missing: pip install {_DIALECTS[name]}")
    hint = nearest(name, (*_OWN_DIALECTS, *_DIALECTS), "known ones")
    return SourceUnavailable(f"{subject}: there is no dialect `{url.drivername}`; {hint}")


def _redacted(url: URL, line: str) -> str:
    values = [value for each in url.query.values() for value in ([each] if isinstance(each, str) else each)]
    for value in filter(None, (url.password, *values)):
        line = re.sub(rf"(?<!\w){re.escape(str(value))}(?!\w)", "***", line)
    return line
