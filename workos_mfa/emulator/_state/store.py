"""What the emulator keeps: tables of values, in memory and, if there is one, in a state file.

A table is read from a dictionary. A change is written to the file first and to the dictionary then. A transaction that
fails halfway is undone in the file, and the tables are read from it again.

One lock guards all tables and the state file: :attr:`Store.lock`, which a thread may take again while it has it. It is
taken beside a transaction and not within one: what Python itself enters can't be left locked by a signal handler's
exception. Outbox and clock guard themselves; where they change what is kept, they call back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Outbox, SMSMessage
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._state.records import (
    ChallengeRecord,
    FactorRecord,
    StateFileError,
    clock_note,
    clock_setting_from,
    record_from,
)

if TYPE_CHECKING:
    # Only an emulator with a state file needs SQLite.
    from workos_mfa.emulator._state.state_file import StateFile

V = TypeVar("V")


class Table(MutableMapping[str, V]):
    """Values of one kind by their names, in the order in which they first came.

    :param kind: what the state file calls them.
    :param read: makes a value of its JSON; it raises LookupError, TypeError or ValueError if it can't.
    """

    def __init__(self, kind: str, file: StateFile | None, read: Callable[[Any], V]) -> None:
        self.kind = kind
        self._file = file
        self._read = read
        self._values: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._values)

    def __getitem__(self, name: str) -> V:
        return self._values[name]

    def __setitem__(self, name: str, value: V) -> None:
        if self._file is not None:
            self._file.put(self.kind, name, value)
        self._remember(name, value)

    def __delitem__(self, name: str) -> None:
        if self._file is not None:
            self._file.drop(self.kind, name)
        del self._values[name]

    def clear(self) -> None:
        if self._file is not None:
            self._file.drop_all(self.kind)
        self.forget()

    def load(self, name: str, value: object) -> None:
        """Take a value from the file."""
        self._remember(name, self._read(value))

    def forget(self) -> None:
        """Empty the memory, and leave the file as it is."""
        self._values = {}

    def _remember(self, name: str, value: V) -> None:
        self._values[name] = value


class Factors(Table[FactorRecord]):
    """Factors by their ids, with an index for the lists of users."""

    def __init__(self, file: StateFile | None) -> None:
        super().__init__("factor", file, partial(record_from, FactorRecord))
        self._of_user: dict[str, dict[str, None]] = {}

    def of_user(self, user_id: str) -> list[FactorRecord]:
        """The factors of a user, oldest first."""
        return [self[factor_id] for factor_id in self._of_user.get(user_id, ())]

    def __delitem__(self, name: str) -> None:
        user_id = self[name].user_id
        super().__delitem__(name)
        if user_id is not None:
            del self._of_user[user_id][name]

    def forget(self) -> None:
        super().forget()
        self._of_user = {}

    def _remember(self, name: str, value: FactorRecord) -> None:
        super()._remember(name, value)
        if value.user_id is not None:
            self._of_user.setdefault(value.user_id, {})[name] = None


@attrs.frozen
class _Transaction:
    """What is written to the file within it lasts when it is left, and is undone if that is by an exception."""

    _file: StateFile
    _load: Callable[[], None]

    def __enter__(self) -> None:
        pass  # the file begins with the first change

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._file.commit()
        finally:
            if self._file.rollback():
                self._load()


class Store:
    """All that an emulator keeps. It starts where an emulator before it stopped, if they share a state file.

    :ivar lock: to be held around every use of the tables.
    :ivar challenges: the challenges, also those whose factor was deleted: the API tells these from unknown ones.
    :ivar used_steps: which factor has accepted the code of which step, as in :func:`step_name`.
    :ivar users: the addresses of the users that were seeded.
    """

    def __init__(self, clock: Clock, randomness: Randomness, file: StateFile | None) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()
        self.factors: Factors = Factors(file)
        self.challenges: Table[ChallengeRecord] = Table("challenge", file, partial(record_from, ChallengeRecord))
        self.used_steps: Table[tuple[str, int]] = Table("step", file, tuple)
        self.users: Table[str] = Table("user", file, str)
        # When a message went to a number, for the limit; and what it said, until the outbox is cleared.
        self._sent: Table[tuple[str, datetime]] = Table("sms", file, _sent)
        self._messages: Table[SMSMessage] = Table("message", file, partial(record_from, SMSMessage))
        # "drawn": the number of the last id, and how much chance was drawn; "clock": its setting.
        self._notes: Table[Sequence[Any]] = Table("note", file, list)
        tables: list[Table[Any]] = [self.factors, self.challenges, self.used_steps, self.users]
        tables += [self._sent, self._messages, self._notes]
        self._tables = {table.kind: table for table in tables}
        self.outbox: Outbox = Outbox(self._clear_messages)
        self.randomness = randomness
        self._clock = clock
        self._file = file
        self._next_id = ids.IdMaker(randomness)
        try:
            self._load()
            self._resume()
        except BaseException:
            self.close()
            raise

    def transaction(self) -> AbstractContextManager[None]:
        """Around changes that last whole or not at all; they last when it is left. The caller holds the lock."""
        return nullcontext() if self._file is None else _Transaction(self._file, self._load)

    def summary(self) -> str:
        with self.lock:
            return f"{len(self.factors)} factors, {len(self.challenges)} challenges"

    def new_id(self, prefix: str, now: datetime) -> str:
        """A new id, within a transaction."""
        made = self._next_id(prefix, now)
        self._notes["drawn"] = [self._next_id.last, self.randomness.position]
        return made

    def note_sms(self, message: SMSMessage) -> None:
        """Note that a message was sent; the caller puts it into the outbox once the transaction is over."""
        self._sent[str(len(self._sent))] = message.to, message.sent_at
        self._messages[message.challenge_id] = message

    def sms_sent_since(self, number: str, moment: datetime) -> int:
        """How many messages a number got after a moment."""
        return sum(to == number and sent_at > moment for to, sent_at in self._sent.values())

    def is_newest(self, challenge: ChallengeRecord) -> bool:
        """Whether the factor of a challenge has had no challenge since."""
        from_newest = (self.challenges[name] for name in reversed(self.challenges))
        return challenge.id == next(other.id for other in from_newest if other.factor_id == challenge.factor_id)

    def reset(self) -> None:
        """Remove everything, and begin all series again."""
        with self.lock:
            with self.transaction():
                for table in self._tables.values():
                    table.clear()
            self._next_id.last = 0
            self.randomness.restart()
            self.outbox.clear()
            self._clock.reset()

    def close(self) -> None:
        if self._file is not None:
            with self.lock:
                self._file.close()

    def _load(self) -> None:
        """Read the tables from the file.

        :raises StateFileError: if the file holds something that no emulator writes.
        """
        if self._file is None:
            return
        for table in self._tables.values():
            table.forget()
        try:
            for kind, name, value in self._file.entries():
                self._tables[kind].load(name, value)
        except (LookupError, TypeError, ValueError):
            pass
        else:
            return
        raise StateFileError("the state file is damaged: it holds something that no emulator writes. Use another one.")

    def _resume(self) -> None:
        self._next_id.last, self.randomness.position = self._notes.get("drawn", (0, 0))
        for message in self._messages.values():
            self.outbox.append(message)
        setting = self._notes.get("clock")
        self._clock.resume(None if setting is None else clock_setting_from(setting), self._keep_clock)

    def _keep_clock(self) -> None:
        with self.lock, self.transaction():
            self._notes["clock"] = clock_note(self._clock.setting())

    def _clear_messages(self, clear: Callable[[], None]) -> None:
        with self.lock, self.transaction():
            self._messages.clear()
            clear()


def step_name(factor_id: str, step: int) -> str:
    """The name of a used step in its table."""
    return f"{factor_id} {step}"


def _sent(value: tuple[str, int]) -> tuple[str, datetime]:
    number, sent_at = value
    return number, ids.moment(sent_at)
