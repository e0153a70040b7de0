"""The kind `sql`: each row of a table or of a query is a document, in any database that SQLAlchemy reads.

    kb source add tickets sql url='postgresql://kb:${PGPASSWORD}@db.example/shop' table=support.ticket \\
        key=id title=subject text=question,answer metadata=product,status updated_at=changed_at
    kb source add pages sql url=sqlite:///wiki.db key=path text=body \\
        query='SELECT path, body FROM page WHERE NOT draft'
    kb source add notes sql url='mysql+pymysql://kb@db.example/crm' password='${CRM_PASSWORD}' table=note \\
        key=customer,number text=words

Options:

- `url`: as SQLAlchemy reads it, with the password as `${NAME}` (what is not a letter or digit in it written `%XX`). The
  path of an SQLite file starts, where it is relative, from where the source is added. SQLite's driver is built in,
  PostgreSQL's comes with the extra `postgres`; where another is missing, the error names the package to install.
- `password`: instead of the one in `url`, as it is.
- `table` (`NAME` or `SCHEMA.NAME`) or `query` (one SELECT that can stand as a subquery): which rows there are.
- `key`: the column, or the columns, whose values tell rows apart: the document's URI, several joined by `/`. No
  value of theirs may be NULL or come twice.
- `text`: the column, or the columns, that hold the text. One column is the document as it is; a binary one, a file's
  bytes: PDF, Office and the like. A key that ends like a file's name (`id || '.md'`) tells the format of text, and
  `'<html>' || body` makes HTML of a fragment. Several columns become Markdown with a heading for each.
- `title` (none): a column whose text becomes the document's first heading, in Markdown.
- `metadata` (none): columns to filter by. What is NULL is left out.
- `updated_at` (none): a watermark: a column that has another value after every edit of what the document is made of.
- `timeout_s` (60): how long the database may take to connect, and to answer each question; drivers other than those of
  SQLite, PostgreSQL and MySQL keep to limits of their own.

A change: without `updated_at` every row is read at each poll, and one that makes another document has changed. With it,
only keys and watermarks are read; but two edits within one tick of the clock that sets them leave the same watermark.
So rows edited within the last five minutes by the database's clock are read, too; within the last two days where the
watermark is a date, a number that may count time, or a time without a zone. Those whose watermark is NULL or no time at
all are always read. A time without a zone is taken as UTC where it is shown.

A deletion: a key that is no longer listed. All keys are listed at each poll, within one read-only transaction that sees
one state of the database: PostgreSQL, MySQL, MariaDB and Oracle are asked for that, SQLite does so by itself.

Unavailable: a database that cannot be reached or does not answer in time, an SQLite file that is not there (it is never
made), a missing table or column, a key that is NULL or not unique. Nothing is then taken for deleted.

A row whose text is NULL or empty is an empty document, which goes to quarantine as such: leave such rows out by `query`
where they are no documents. Each document that changed is read by its key, so a query should be one that the database
answers quickly for one key. Values are written in one way, whatever the session's settings: times with a zone in UTC,
JSON with its keys sorted, binary values among others as UTF-8 or else in hexadecimal. A value that its driver cannot
read (PostgreSQL's `infinity` as a date) makes its row unreadable: CAST it to text in `query`.
"""

from connectors.sql.connector import SqlConnector
from connectors.sql.options import SqlOptions

__all__ = ["SqlConnector", "SqlOptions"]
