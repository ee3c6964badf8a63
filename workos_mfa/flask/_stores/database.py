"""A store in a database of the app's, by SQLAlchemy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator

try:
    from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, Text, insert, inspect, select, update
    from sqlalchemy.exc import DBAPIError, IntegrityError
    from sqlalchemy.pool import SingletonThreadPool, StaticPool
except ImportError as error:
    raise ImportError(
        "SQLAlchemyStore needs sqlalchemy, which is not installed; run: pip install sqlalchemy"
    ) from error

_CONFLICTS = {"40001", "40P01"}
"""SQL's names for a transaction that lost against another one, and for a deadlock."""

_ATTEMPTS = 10

# A database in memory has one connection, and a transaction of another thread would end ours.
_one_at_a_time = threading.Lock()


class SQLAlchemyStore:
    """Keeps the documents in a table of a database. Each operation is a transaction of its own.

    Before you use another database than SQLite or PostgreSQL, run :class:`workos_mfa.testing.StoreContract` on it:
    MySQL, for one, needs a binary collation, so that ``ada`` and ``Ada`` are two accounts.

    :param engine: the database, tested with SQLite and PostgreSQL at any isolation level.
    :param table: the table's name.
    :param create: whether to create the table where it is missing. With migrations, make it from ``table``.
    :raises ValueError: if each thread would have a database of its own, as with SQLite in memory.
    """

    __module__ = "workos_mfa.flask"

    def __init__(self, engine: Engine, *, table: str = "workos_mfa_accounts", create: bool = True) -> None:
        if isinstance(engine.pool, SingletonThreadPool):
            raise ValueError(  # noqa: TRY004 - it is a setting of the engine
                "with this engine, each thread has a database of its own: use a file, or for tests "
                "create_engine('sqlite://', poolclass=StaticPool, connect_args={'check_same_thread': False})"
            )
        self._engine = engine
        self._has_one_connection = isinstance(engine.pool, StaticPool)
        self.table: Table = Table(
            table,
            MetaData(),
            Column("account_id", String(255), primary_key=True),
            Column("document", Text, nullable=False),
        )
        if create:
            self._create()

    def _create(self) -> None:
        try:
            with self._transaction(is_pooled=False) as connection:
                self.table.create(connection, checkfirst=True)
        except DBAPIError:
            # Maybe another process was faster.
            with self._transaction(is_pooled=False) as connection:
                if not inspect(connection).has_table(self.table.name):
                    raise

    def load(self, account_id: str, /) -> str | None:
        """The account's document, or None if there is none."""
        row = self._row(account_id)
        if row is None:
            return None
        found, document = row
        if found != account_id:
            raise RuntimeError(
                "the database takes two accounts for one: the column account_id needs a binary collation"
            )
        return document

    def _row(self, account_id: str) -> tuple[str, str] | None:
        # Where transactions are serializable, one that only reads can lose too.
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._read(account_id)
            except DBAPIError as error:  # noqa: PERF203 - it is what the loop is for
                if not _is_conflict(error):
                    raise
        return self._read(account_id)

    def _read(self, account_id: str) -> tuple[str, str] | None:
        columns = self.table.c
        query = select(columns.account_id, columns.document).where(columns.account_id == account_id)
        with self._transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save the account's document, if the one that is there now is ``replaces``; whether it was saved."""
        try:
            if replaces is None:
                return self._insert(account_id, document)
            return self._update(account_id, document, replaces)
        except DBAPIError as error:
            if _is_conflict(error):
                return False
            raise

    def _insert(self, account_id: str, document: str) -> bool:
        try:
            with self._transaction() as connection:
                connection.execute(insert(self.table).values(account_id=account_id, document=document))
        except IntegrityError:
            # Or the table has a rule of the app's, such as a foreign key: that would not pass the next time either.
            if self.load(account_id) is None:
                raise
            return False
        return True

    def _update(self, account_id: str, document: str, replaces: str) -> bool:
        columns = self.table.c
        mine = (columns.account_id == account_id) & (columns.document == replaces)
        with self._transaction() as connection:
            return connection.execute(update(self.table).where(mine).values(document=document)).rowcount == 1

    @contextlib.contextmanager
    def _transaction(self, *, is_pooled: bool = True) -> Generator[Connection, None, None]:
        with (
            _one_at_a_time if self._has_one_connection else contextlib.nullcontext(),
            self._engine.begin() as connection,
        ):
            if not (is_pooled or self._has_one_connection):
                # A server that loads the app before it forks would share it among its workers.
                connection.detach()
            yield connection


def _is_conflict(error: DBAPIError) -> bool:
    # psycopg's name for it, and psycopg2's.
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return state in _CONFLICTS
