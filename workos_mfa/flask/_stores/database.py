"""A store in a database of the app's, by SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import Column, Engine, Insert, MetaData, String, Table, Text, Update, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

_SERIALIZATION_FAILURES = {"40001", "40P01"}


class SQLAlchemyStore:
    """Keeps the documents in a table of a database. Each operation is a transaction of its own.

    :param engine: the database, tested with SQLite and PostgreSQL at any isolation level.
    :param table: the table's name.
    :param create: whether to create the table where it is missing. With migrations, make it from :attr:`table`.
    """

    def __init__(self, engine: Engine, *, table: str = "workos_mfa_accounts", create: bool = True) -> None:
        self._engine = engine
        self.table = Table(
            table,
            MetaData(),
            Column("account_id", String(255), primary_key=True),
            Column("document", Text, nullable=False),
        )
        if create:
            self.table.create(engine, checkfirst=True)

    def load(self, account_id: str, /) -> str | None:
        """The account's document, or None if there is none."""
        query = select(self.table.c.document).where(self.table.c.account_id == account_id)
        with self._engine.connect() as connection:
            return connection.scalar(query)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save the account's document, if the one that is there now is ``replaces``; whether it was saved."""
        columns = self.table.c
        statement: Insert | Update = insert(self.table).values(account_id=account_id, document=document)
        if replaces is not None:
            mine = (columns.account_id == account_id) & (columns.document == replaces)
            statement = update(self.table).where(mine).values(document=document)
        try:
            with self._engine.begin() as connection:
                return connection.execute(statement).rowcount == 1
        except IntegrityError:
            return False
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _SERIALIZATION_FAILURES:
                return False
            raise
