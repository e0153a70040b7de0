"""The databases that the SQL connector's tests write to and read."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sql_shop import Shop


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Shop]:
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    shop = Shop(f"sqlite:///{tmp_path / 'shop.db'}", connection.execute)
    yield shop
    shop.close()
    connection.close()


@pytest.fixture
def postgresql(postgres: Any) -> Iterator[Shop]:
    postgres.execute("DROP SCHEMA IF EXISTS public CASCADE")
    postgres.execute("CREATE SCHEMA public")
    shop = Shop(postgres.url(), postgres.execute)
    yield shop
    shop.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """Either database."""
    found: Shop = request.getfixturevalue(request.param)
    return found
