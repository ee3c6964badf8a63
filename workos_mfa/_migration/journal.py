"""The journal: what became of each row, in a SQLite file, so that an import can go on after any end.

A row is noted before its secret is sent, with the factors that the user had by then, and the note is on the disk
before the call goes out. A row that was noted and not finished may have arrived; nothing else may have. The file
holds no secret. It recognises the rows' file and the API key by hashes with a key of its own.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Collection, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, cast

import attrs

_OURS = 0x774D4649
"""The application id of our journals: "wMFI"."""

_FORMAT = 1
_CHUNK = 1 << 20
_FRESH = 600.0  # seconds in which a person has hardly used a factor

State = Literal["sending", "done", "refused"]


class JournalError(Exception):
    """The journal can't be used; the text says why, and what to do."""


@attrs.frozen
class Entry:
    """What the journal knows of a row.

    :param state: ``sending``: it may have arrived; ``done``; ``refused``: the API refused it, and it did not arrive.
    :param before: the ids of the factors that the user had before it was sent.
    :param sent_at: when it was sent, in seconds of the epoch.
    """

    state: State
    before: frozenset[str]
    sent_at: float


class Journal:
    """A journal that is open, and locked until it is closed. It may be used by many threads.

    :param path: the file; it is made if there is none, readable by its owner alone.
    :raises JournalError: if it can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # of the database
        self._changed = threading.Condition()  # of what follows
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._added = self._written = 0
        self._closed = False
        self._failure = ""
        with self._explained():
            self._check_unopened()
            self._db = sqlite3.connect(path.absolute(), timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        self._writer = threading.Thread(target=self._write_all, name="workos-mfa journal", daemon=True)
        self._writer.start()

    def begin(self, rows: Path, api_key: str, base_url: str, *, key_changed: bool) -> None:
        """Bind a new journal to a file, a key and the API's address; make sure that an older one belongs to them.

        :param key_changed: the key or the address is another one, of the same environment.
        :raises JournalError: if the journal is another file's, or another key's or address's.
        """
        with self._lock, self._explained():
            known = dict(cast("list[tuple[str, str]]", self._db.execute("SELECT name, value FROM about").fetchall()))
            salt = known.get("salt") or secrets.token_hex(32)
            file = _hash_of_file(salt, rows)
            key = hmac.new(salt.encode(), f"key {api_key} at {base_url}".encode(), "sha256").hexdigest()
            if known.get("file", file) != file:
                raise JournalError(
                    f"the journal {self.path} is of another file, or the file was changed since. Give each file a "
                    "journal of its own with --journal, and put rows that you have mended into a file of their own"
                )
            if known.get("key", key) != key and not key_changed:
                raise JournalError(
                    f"the journal {self.path} was written with another API key, or for another base URL. If that is "
                    "the same environment, add --key-changed; for another environment name another --journal"
                )
            about = {"salt": salt, "file": file, "key": key}
            self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", about.items())

    def entry(self, line: int) -> Entry | None:
        """What is known of a row, by its line; None if it was never sent."""
        with self._lock, self._explained():
            found: tuple[State, str, float] | None = self._db.execute(
                "SELECT state, before, sent_at FROM rows WHERE line = ?", (line,)
            ).fetchone()
        return None if found is None else Entry(found[0], frozenset(json.loads(found[1])), found[2])

    def finished(self) -> int:
        """How many rows are done."""
        with self._lock, self._explained():
            found: tuple[int] = self._db.execute("SELECT count(*) FROM rows WHERE state = 'done'").fetchone()
        return found[0]

    def sending(self, line: int, user_id: str, before: Collection[str]) -> None:
        """Note that a row is about to be sent. This returns when the note is on the disk."""
        self._add(
            "INSERT OR REPLACE INTO rows (line, user_id, state, before, sent_at) VALUES (?, ?, 'sending', ?, ?)",
            line,
            user_id,
            json.dumps(sorted(before)),
            time.time(),
            wait=True,
        )

    def done(self, line: int, factor_id: str) -> None:
        """Note that a row is done. If this is lost with the process, the next run finds it by the user's factors."""
        self._add("UPDATE rows SET state = 'done', factor_id = ? WHERE line = ?", factor_id, line)

    def found(self, line: int, factor_id: str) -> None:
        """Note that a row is done, by a factor that was found in a list: nobody has said that it is the row's."""
        self._add("UPDATE rows SET state = 'done', factor_id = ?, reason = 'found' WHERE line = ?", factor_id, line)

    def witness(self) -> tuple[str, str] | None:
        """A user and a factor that was made for this one a few minutes ago at most, by what the API said."""
        with self._lock, self._explained():
            found: tuple[str, str] | None = self._db.execute(
                "SELECT user_id, factor_id FROM rows WHERE state = 'done' AND reason IS NULL AND sent_at > ? "
                "ORDER BY sent_at DESC LIMIT 1",
                (time.time() - _FRESH,),
            ).fetchone()
        return found

    def not_sent(self, line: int) -> None:
        """Note that a row did not arrive, and may be sent again."""
        self._add("DELETE FROM rows WHERE line = ?", line)

    def refused(self, line: int, user_id: str, reason: str) -> None:
        """Note that the API refused a row. The next run tries it again."""
        self._add(
            "INSERT OR REPLACE INTO rows (line, user_id, state, before, sent_at, reason) "
            "VALUES (?, ?, 'refused', '[]', ?, ?)",
            line,
            user_id,
            time.time(),
            reason,
        )

    @property
    def lists_are_trusted(self) -> bool:
        """Whether it was seen that a user's list has a factor that was just made."""
        with self._lock, self._explained():
            return self._db.execute("SELECT 1 FROM about WHERE name = 'lists'").fetchone() is not None

    def trust_lists(self) -> None:
        """Note that a user's list had a factor that was just made."""
        self._add("INSERT OR REPLACE INTO about VALUES ('lists', 'show new factors')")

    def close(self) -> None:
        """Write what is left, and give the file back. The second time this does nothing.

        :raises JournalError: if it could not be written.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._writer.join()
        self._db.close()
        if self._failure:
            raise JournalError(self._failure)

    def _add(self, statement: str, *values: object, wait: bool = False) -> None:
        with self._changed:
            self._waiting.append((statement, values))
            self._added += 1
            number = self._added
            self._changed.notify_all()
            while wait and self._written < number and not self._failure:
                self._changed.wait()
            if self._failure:
                raise JournalError(self._failure)

    def _write_all(self) -> None:
        """Write what is added. All that waits goes into one transaction, since each one waits for the disk."""
        while not self._failure:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                statements, self._waiting = self._waiting, []
            if not statements:
                return
            failure = ""
            try:
                with self._lock, self._explained():
                    self._write(statements)
            except JournalError as error:
                failure = str(error)
            with self._changed:
                self._failure = failure
                self._written += len(statements)
                self._changed.notify_all()

    def _write(self, statements: list[tuple[str, tuple[object, ...]]]) -> None:
        self._db.execute("BEGIN")
        for statement, values in statements:
            self._db.execute(statement, values)
        self._db.execute("COMMIT")

    def _check_unopened(self) -> None:
        """Leave a file of something else as it is: SQLite tidies what it opens."""
        descriptor = self._descriptor()
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise JournalError(f"{self.path} is no regular file. Name another file with --journal")
            if found.st_uid != os.geteuid():
                raise JournalError(f"{self.path} belongs to another user. Name another file with --journal")
            if found.st_size:
                uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
                with closing(sqlite3.connect(uri, uri=True)) as unopened:
                    self._check_owner(unopened)
            # Before SQLite opens it: what it puts beside a file has the mode of the file.
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)

    def _descriptor(self) -> int:
        """The file, opened or made. Nothing is waited for, and no link is followed to a file of somebody else."""
        if self.path.is_symlink():
            raise JournalError(f"{self.path} is a link. Name the file itself with --journal")
        return os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, 0o600)

    def _check_owner(self, database: sqlite3.Connection) -> None:
        if _number(database, "PRAGMA application_id") != _OURS:
            raise JournalError(f"{self.path} is no journal of an import. Name another file with --journal")
        if _number(database, "PRAGMA user_version") > _FORMAT:
            raise JournalError(f"a newer version of workos_mfa made the journal {self.path}. Update workos_mfa")

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")
        self._db.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS rows (line INTEGER PRIMARY KEY, user_id TEXT NOT NULL, state TEXT NOT NULL, "
            "before TEXT NOT NULL, sent_at REAL NOT NULL, factor_id TEXT, reason TEXT)"
        )
        self._db.execute(f"PRAGMA application_id = {_OURS}")
        self._db.execute(f"PRAGMA user_version = {_FORMAT}")
        self._db.execute("COMMIT")
        self._db.execute("PRAGMA journal_mode = WAL")
        # A commit is on the disk, so that it is there after the machine has lost its power, too.
        self._db.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = str(error)
        else:
            return
        if "locked" in reason:
            raise JournalError(f"the journal {self.path} is in use: another import is running with it")
        if "not a database" in reason:
            raise JournalError(f"{self.path} is no journal of an import. Name another file with --journal")
        raise JournalError(f"the journal {self.path} can't be used: {reason}")


def _number(database: sqlite3.Connection, statement: str) -> int:
    found: tuple[int] = database.execute(statement).fetchone()
    return found[0]


def _hash_of_file(salt: str, path: Path) -> str:
    digest = hmac.new(salt.encode(), b"file ", "sha256")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
