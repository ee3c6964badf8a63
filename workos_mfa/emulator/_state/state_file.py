"""The state file: what the emulator keeps over a restart, in SQLite, as one table of named JSON values.

What a transaction changes is committed before the response leaves, so that a process that is killed at any moment
has lost nothing that a client was told. (If the machine loses its power, SQLite keeps the file whole, but the last
few calls may be gone.) SQLite's lock on the file is taken at the start and ends with the process, however it ends.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from workos_mfa.emulator._state.records import StateFileError, as_json

_OURS = 0x774D4641
"""The application id of our files: "wMFA"."""

_FORMAT = 1
_JSON = json.JSONEncoder(separators=(",", ":"), default=as_json)


class StateFile:
    """A state file that is open, and locked until it is closed.

    One thread at a time: the store holds its lock around every use.

    :param path: the file; it is made if there is none.
    :raises StateFileError: if it is in use, is not one of ours, is of a newer format or can't be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Absolute, since some names, such as :memory:, are no files for SQLite.
        self._path = Path(path).absolute()
        self._process = os.getpid()
        self._closed = False
        self._changed = False
        with self._explained("open"):
            _make_private(self._path)
            self._check_unopened()
            self._db = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def put(self, kind: str, name: str, value: object) -> None:
        """Keep a value; one that has the name already keeps its place in the order."""
        self._change(
            "INSERT INTO entries (kind, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            kind,
            name,
            _JSON.encode(value),
        )

    def drop(self, kind: str, name: str) -> None:
        self._change("DELETE FROM entries WHERE kind = ? AND key = ?", kind, name)

    def drop_all(self, kind: str) -> None:
        self._change("DELETE FROM entries WHERE kind = ?", kind)

    def entries(self) -> Iterator[tuple[str, str, object]]:
        """All values, as kind, name and value, in the order in which they were first kept."""
        with self._explained("read"):
            rows = self._db.execute("SELECT kind, key, value FROM entries ORDER BY number").fetchall()
        for kind, name, text in rows:
            yield kind, name, json.loads(text)

    def commit(self) -> None:
        """Write everything that changed since the last commit, for good."""
        if self._changed:
            with self._explained("write"):
                self._db.execute("COMMIT")
            self._changed = False

    def rollback(self) -> bool:
        """Undo everything that changed since the last commit; whether there was anything."""
        undone = self._changed
        # SQLite undoes by itself what it could not write.
        if undone and self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._changed = False
        return undone

    def close(self) -> None:
        """Close the file; later changes raise StateFileError."""
        self._closed = True
        # After a fork the child has the parent's connection too: to close it would end the parent's lock.
        if os.getpid() == self._process:
            self._db.close()

    def _change(self, statement: str, *values: str) -> None:
        if self._closed:
            raise StateFileError(f"the emulator of the state file {self._path} was closed; make another one")
        if os.getpid() != self._process:
            raise StateFileError(
                f"the state file {self._path} belongs to the process that opened it; make the emulator after the fork"
            )
        with self._explained("write"):
            # Noted first: a signal handler's exception may come right behind the statement.
            self._changed = True
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
            self._db.execute(statement, values)

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Locked before the first read, so that nobody changes the file between the check and the first write.
        self._db.execute("BEGIN EXCLUSIVE")
        if _number(self._db, "SELECT count(*) FROM sqlite_master"):
            self._check_owner(self._db)
        self._path.chmod(0o600)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
            "key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key))"
        )
        self._db.execute(f"PRAGMA application_id = {_OURS}")
        self._db.execute(f"PRAGMA user_version = {_FORMAT}")
        self._db.execute("COMMIT")
        # A commit then writes to one file, and waits for no disk.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")

    def _check_unopened(self) -> None:
        """Refuse what is not ours and leave it as it was: to open a FIFO hangs, and SQLite tidies what it opens."""
        if not self._path.exists():
            raise OSError("it is a link whose target does not exist; make the target, or name another file")
        if not self._path.is_file():
            raise OSError("it is a folder, a pipe or a device; name a file, which need not exist yet")
        if self._path.stat().st_size:
            # Not read by hand: closing it again would take SQLite's lock from another emulator of this process.
            with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro&immutable=1", uri=True)) as unopened:
                self._check_owner(unopened)
            # Before SQLite opens it: what it puts beside a file has the mode of the file.
            self._path.chmod(0o600)

    def _check_owner(self, database: sqlite3.Connection) -> None:
        if _number(database, "PRAGMA application_id") != _OURS:
            self._refuse("it is a database of something else. Name another file")
        if _number(database, "PRAGMA user_version") > _FORMAT:
            self._refuse("a newer version of workos_mfa made it. Update workos_mfa, or name another file")

    @contextmanager
    def _explained(self, what: str) -> Generator[None, None, None]:
        """Turn what SQLite and the system say into what it means for the person who named the file."""
        try:
            yield
        except StateFileError:
            raise
        except (sqlite3.Error, OSError) as error:
            reason = str(error)
        else:
            return
        if "locked" in reason:
            self._refuse(
                "another process is using it, such as an emulator that still runs. Stop that one, or name another file"
            )
        if "not a database" in reason:
            self._refuse("it is no state file of the emulator's. Name another file")
        raise StateFileError(f"can't {what} the state file {self._path}: {reason}")

    def _refuse(self, reason: str) -> NoReturn:
        raise StateFileError(f"the state file {self._path} can't be used: {reason}.")


def _number(database: sqlite3.Connection, statement: str) -> int:
    found: tuple[int] = database.execute(statement).fetchone()
    return found[0]


def _make_private(path: Path) -> None:
    """Make the file if there is none: it holds secrets, so it is nobody else's from the first moment."""
    # Never opened if it exists: closing it again would take SQLite's lock from another emulator of this process.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
