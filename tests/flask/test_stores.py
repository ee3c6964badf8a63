# ruff: noqa: D103 - the name of each breach says what is wrong
"""The stores: each keeps the contract, and the contract finds a store that does not."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")

from sqlalchemy import Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool

from tests.flask.servers import postgresql  # noqa: F401 - a fixture
from workos_mfa.flask import MemoryStore, SQLAlchemyStore, Store
from workos_mfa.testing import StoreContract

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
ROOT = Path(__file__).parent.parent.parent


class Engines:
    """Makes engines, and lets go of them at the end."""

    def __init__(self) -> None:
        self._made: list[Engine] = []

    def __call__(self, url: str, **options: object) -> Engine:
        """An engine with these options."""
        self._made.append(create_engine(url, **options))
        return self._made[-1]

    def dispose(self) -> None:
        """Close all connections."""
        for each in self._made:
            each.dispose()


@pytest.fixture
def engines() -> Iterator[Engines]:
    """Makes engines."""
    made = Engines()
    yield made
    made.dispose()


def in_memory(engines: Engines) -> Engine:
    """An engine on a database in memory."""
    return engines("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class TestMemoryStore(StoreContract):
    """The store in memory."""

    def store(self) -> Store:
        """A new one."""
        return MemoryStore()


class TestSQLiteInMemory(StoreContract):
    """SQLite in memory, with one connection for all threads."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines) -> None:
        self.engines = engines

    def store(self) -> Store:
        """One on a new database."""
        return SQLAlchemyStore(in_memory(self.engines))


class TestSQLite(StoreContract):
    """SQLite in a file, by two engines."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines, tmp_path: Path) -> None:
        self.make = lambda: SQLAlchemyStore(engines(f"sqlite:///{tmp_path / 'app.db'}", connect_args={"timeout": 60}))

    def store(self) -> Store:
        """One on a new file."""
        return self.make()

    def another(self, store: Store) -> Store:
        """Another one on this file."""
        del store
        return self.make()


@pytest.mark.parametrize("level", LEVELS, scope="class")
class TestPostgreSQL(StoreContract):
    """PostgreSQL at each level of isolation, by two engines."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines, postgresql: str, level: str) -> None:  # noqa: F811
        empty(engines(postgresql))
        options = {"isolation_level": level, "pool_size": 20, "max_overflow": 20}
        self.make = lambda: SQLAlchemyStore(engines(postgresql, **options))

    def store(self) -> Store:
        """One on an empty database."""
        return self.make()

    def another(self, store: Store) -> Store:
        """Another one on this database."""
        del store
        return self.make()


def empty(engine: Engine) -> None:
    """Drop all tables."""
    found = MetaData()
    found.reflect(engine)
    found.drop_all(engine)
