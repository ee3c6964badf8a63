"""Checks every row of a file before anything is sent."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import attrs

from workos_mfa._migration.row import Problem, Row
from workos_mfa._migration.table import Table

_KIBIBYTES_IN_MEMORY = 131_072


@attrs.frozen
class Checked:
    """A file whose rows were all looked at.

    :param table: the file.
    :param good: how many rows can be imported.
    :param problems: the others, in order.
    """

    table: Table
    good: int
    problems: tuple[Problem, ...]

    def rows(self) -> Iterator[Row]:
        """The rows that can be imported, read once more.

        :raises FileError: if the file can no longer be read.
        """
        bad = {problem.line for problem in self.problems}
        for row in self.table.rows():
            if isinstance(row, Row) and row.line not in bad:
                yield row


def check(table: Table) -> Checked:
    """Look at every row. Of two with the same user or the same secret, the second one is a problem.

    :raises FileError: if the file can't be read.
    """
    good = 0
    problems: list[Problem] = []
    with closing(_Seen()) as seen:
        for row in table.rows():
            found = row if isinstance(row, Problem) else seen.problem_of(row)
            if found is None:
                good += 1
            else:
                problems.append(found)
    return Checked(table, good, tuple(problems))


class _Seen:
    """The users and secrets so far: a keyed hash of each, in a database that is nobody else's and soon gone.

    Ten million rows would take gigabytes as Python objects. The key is never written.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        # The empty name is a temporary file that SQLite unlinks at once; it begins in memory.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{_KIBIBYTES_IN_MEMORY}")
        self._db.execute("CREATE TABLE seen (hash BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.close()

    def problem_of(self, row: Row) -> Problem | None:
        values = {"user_id": row.user_id, "secret": row.secret}
        for name, line in [(name, self._line_of(name, value)) for name, value in values.items()]:
            if line is not None:
                return Problem(row.line, row.user_id, f"{name} is the same as on line {line}")
        for name, value in values.items():
            self._db.execute("INSERT INTO seen VALUES (?, ?)", (self._hash(name, value), row.line))
        return None

    def _line_of(self, name: str, value: str) -> int | None:
        found = self._db.execute("SELECT line FROM seen WHERE hash = ?", (self._hash(name, value),)).fetchone()
        return None if found is None else int(found[0])

    def _hash(self, name: str, value: str) -> bytes:
        return hashlib.blake2b(value.encode(), key=self._key, digest_size=16, person=name.encode()).digest()
