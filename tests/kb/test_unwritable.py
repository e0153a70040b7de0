"""What says that a home cannot be written is one error with its remedy; what says something else stays what it is."""

import errno
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import lancedb
import pyarrow as pa
import pytest

from kb.catalog import Catalog
from kb.errors import KBError, Unwritable
from kb.unwritable import unwritable, writes

NO_ROOM = "no room is left on the disk of {}: make room"
NOT_ALLOWED = "{} cannot be written: {}; make it writable"


def raised(act: Callable[[], object]) -> Exception:
    try:
        act()
    except (OSError, RuntimeError, sqlite3.Error) as error:
        return error
    raise AssertionError("nothing was raised")


def grow(path: Path) -> None:
    """Fills a database that may have three pages."""
    with closing(sqlite3.connect(path / "small")) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


def write_read_only(path: Path) -> None:
    sqlite3.connect(path / "kept").close()
    with closing(sqlite3.connect(f"file:{path}/kept?mode=ro", uri=True)) as connection:
        connection.execute("CREATE TABLE t (x)")


def fill_device(path: Path) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")


def said(error: BaseException, place: Path) -> str:
    found = unwritable(error, place)
    assert found is not None, error
    assert (found.exit_code, found.http_status, found.retry_helps) == (1, 507, True)
    return str(found)


@pytest.mark.parametrize("act", [grow, fill_device])
def test_a_full_disk(tmp_path: Path, act: Callable[[Path], None]) -> None:
    assert said(raised(lambda: act(tmp_path)), tmp_path).startswith(NO_ROOM.format(tmp_path))


def test_a_database_that_may_not_be_written(tmp_path: Path) -> None:
    error = raised(lambda: write_read_only(tmp_path))
    assert said(error, tmp_path).startswith(NOT_ALLOWED.format(tmp_path, "permission denied"))


def test_lancedb_names_the_system_s_number(tmp_path: Path) -> None:
    """A table whose directory is a file: the number that is read here is one that LanceDB really gives."""
    (tmp_path / "store").mkdir()
    table = lancedb.connect(str(tmp_path / "store")).create_table("t", pa.table({"x": [1]}))
    for path in (tmp_path / "store" / "t.lance" / "data").iterdir():
        path.unlink()
    (tmp_path / "store" / "t.lance" / "data").rmdir()
    (tmp_path / "store" / "t.lance" / "data").write_text("")
    error = raised(lambda: table.add(pa.table({"x": [2]})))
    assert re.search(r"\(os error \d+\)", str(error))
    assert unwritable(error, tmp_path) is None
    full = RuntimeError(re.sub(r"os error \d+", f"os error {errno.ENOSPC}", str(error)))
    assert said(full, tmp_path).startswith(NO_ROOM.format(tmp_path))


def test_a_read_only_file_system(tmp_path: Path) -> None:
    error = OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "writer.lock"))
    assert said(error, tmp_path).startswith(NOT_ALLOWED.format(tmp_path, "its file system is read-only"))


def test_a_file_elsewhere_is_no_matter_of_the_home(tmp_path: Path) -> None:
    error = OSError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "docs" / "a.md"))
    assert unwritable(error, tmp_path / "home") is None
    with pytest.raises(PermissionError), writes(tmp_path / "home"):
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "gone", "x"), RuntimeError("lance error: Not found"), sqlite3.OperationalError()]
)
def test_other_errors_stay_what_they_are(tmp_path: Path, error: Exception) -> None:
    assert unwritable(error, tmp_path) is None


def test_the_catalog_names_its_home(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    catalog.migrate()
    with pytest.raises(Unwritable) as caught:
        fill(catalog)
    assert str(caught.value).startswith(NO_ROOM.format(tmp_path))
    with pytest.raises(KBError, match="cannot be used") as other, catalog.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM none")
    assert not isinstance(other.value, Unwritable)
    catalog.close()


def fill(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE t (x)")
