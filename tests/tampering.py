"""Altering a home behind the program's back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path


def change_catalog(statement: str) -> Callable[[Path], None]:
    """Runs a statement that must change something."""

    def change(home: Path) -> None:
        with sqlite3.connect(home / "catalog.sqlite") as connection:
            assert connection.execute(statement).rowcount > 0
        connection.close()

    return change
