"""What the emulator keeps: tables of values that don't change, in memory and, where there is one, in a state file.

A table is read from a dictionary. A change is written to the file first and to the dictionary then. A transaction that
fails halfway is undone in the file, and the tables are read from it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Outbox, SMSMessage
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._state.errors import StateFileError
from workos_mfa.emulator._state.records import (
    ChallengeRecord,
    FactorRecord,
    as_json,
    clock_as_json,
    clock_from_json,
    from_json,
)

if TYPE_CHECKING:
    # Only an emulator with a state file needs SQLite.
    from workos_mfa.emulator._state.state_file import StateFile

V = TypeVar("V")


class Table(MutableMapping[str, V], Generic[V]):
    """Values of one kind by their names, in the order in which they first came.

    :param kind: what the state file calls them.
    :param file: the state file, or None.
    :param write: gives a value as JSON.
    :param read: gives a value from JSON; it raises LookupError, TypeError or ValueError where it can't.
    """

    def __init__(
        self,
        kind: str,
        file: StateFile | None,
        write: Callable[[V], object],
        read: Callable[[object], V],
    ) -> None:
        self._kind = kind
        self._file = file
        self._write = write
        self._read = read
        self._values: dict[str, V] = {}

    def __repr__(self) -> str:
        return f"<Table {self._kind!r}: {len(self)}>"

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
            self._file.put(self._kind, name, self._write(value))
        self.remember(name, value)

    def __delitem__(self, name: str) -> None:
        if self._file is not None:
            self._file.drop(self._kind, name)
        del self._values[name]

    def clear(self) -> None:
        """Remove all values."""
        if self._file is not None:
            self._file.drop_all(self._kind)
        self.forget()

    def load(self, name: str, value: object) -> None:
        """Take a value from the file."""
        self.remember(name, self._read(value))

    def remember(self, name: str, value: V) -> None:
        """Keep a value in memory only."""
        self._values[name] = value

    def forget(self) -> None:
        """Empty the memory, and leave the file as it is."""
        self._values = {}


class Factors(Table[FactorRecord]):
    """Factors by their ids, with an index for the lists of users."""

    def __init__(self, file: StateFile | None) -> None:
        super().__init__("factor", file, as_json, lambda value: from_json(FactorRecord, value))
        self._of_user: dict[str, dict[str, None]] = {}

    def of_user(self, user_id: str) -> list[FactorRecord]:
        """The factors of a user, oldest first."""
        return [self[factor_id] for factor_id in self._of_user.get(user_id, ())]

    def __delitem__(self, name: str) -> None:
        user_id = self[name].user_id
        super().__delitem__(name)
        if user_id is not None:
            del self._of_user[user_id][name]

    def remember(self, name: str, value: FactorRecord) -> None:
        """Keep a factor in memory only."""
        super().remember(name, value)
        if value.user_id is not None:
            self._of_user.setdefault(value.user_id, {})[name] = None

    def forget(self) -> None:
        """Empty the memory, and leave the file as it is."""
        super().forget()
        self._of_user = {}


class Store:
    """All that an emulator keeps. It starts where an emulator before it stopped, if they share a state file.

    :param clock: its clock, which is set to where it stood.
    :param randomness: where ids, secrets and codes come from.
    :param file: the state file, or None.
    :ivar lock: to be held around every use of the tables.
    :ivar factors: the factors.
    :ivar challenges: the challenges; those of deleted factors too, so that it can be said what became of them.
    :ivar used_steps: which factor has accepted the code of which step, as in :func:`step_name`.
    :ivar users: the addresses of the users that were seeded.
    :ivar outbox: the text messages.
    :ivar randomness: as above.
    """

    def __init__(self, clock: Clock, randomness: Randomness, file: StateFile | None) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()
        self.factors: Factors = Factors(file)
        self.challenges: Table[ChallengeRecord] = Table(
            "challenge", file, as_json, lambda value: from_json(ChallengeRecord, value)
        )
        self.used_steps: Table[tuple[str, int]] = Table("step", file, list, _step)
        self.users: Table[str] = Table("user", file, str, str)
        # When a message went to a number, for the limit; and what it said, until the outbox is cleared.
        self._sent: Table[tuple[str, datetime]] = Table("sms", file, _sent_as_json, _sent)
        self._messages: Table[SMSMessage] = Table("message", file, as_json, lambda value: from_json(SMSMessage, value))
        self._notes: Table[object] = Table("note", file, _same, _same)
        self._tables: dict[str, Table[object]] = {
            "factor": cast("Table[object]", self.factors),
            "challenge": cast("Table[object]", self.challenges),
            "step": cast("Table[object]", self.used_steps),
            "user": cast("Table[object]", self.users),
            "sms": cast("Table[object]", self._sent),
            "message": cast("Table[object]", self._messages),
            "note": self._notes,
        }
        self.outbox: Outbox = Outbox(self._clearing)
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

    def __repr__(self) -> str:
        return f"<Store: {self.summary()}>"

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Around changes that last whole or not at all; they last when it is left. It holds the lock."""
        with self.lock:
            if self._file is None:
                yield
                return
            try:
                yield
                self._file.commit()
            finally:
                if self._file.rollback():
                    self._load()

    def summary(self) -> str:
        """How much there is."""
        return f"{len(self.factors)} factors, {len(self.challenges)} challenges"

    def new_id(self, prefix: str, now: datetime) -> str:
        """A new id, within a transaction."""
        made = self._next_id(prefix, now)
        self._notes["drawn"] = [self._next_id.last, self.randomness.position]
        return made

    def note_sms(self, message: SMSMessage) -> None:
        """Note that a message was sent; it is put into the outbox once the transaction is over."""
        self._sent[str(len(self._sent))] = message.to, message.sent_at
        self._messages[message.challenge_id] = message

    def sms_sent_since(self, number: str, moment: datetime) -> int:
        """How many messages a number got after a moment."""
        return sum(to == number and sent_at > moment for to, sent_at in self._sent.values())

    def is_newest(self, challenge: ChallengeRecord) -> bool:
        """Whether the factor of a challenge has had no challenge since."""
        ids_from_newest = (other for other in reversed(self.challenges))
        return challenge.id == next(
            other for other in ids_from_newest if self.challenges[other].factor_id == challenge.factor_id
        )

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
        """Close the state file, if there is one."""
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
        self._next_id.last, self.randomness.position = cast("list[int]", self._notes.get("drawn", [0, 0]))
        for message in self._messages.values():
            self.outbox.append(message)
        setting = self._notes.get("clock")
        self._clock.resume(None if setting is None else clock_from_json(setting), self._keep_clock)

    def _keep_clock(self) -> None:
        with self.transaction():
            self._notes["clock"] = clock_as_json(self._clock.setting())

    @contextmanager
    def _clearing(self) -> Generator[None, None, None]:
        with self.transaction():
            self._messages.clear()
            yield


def step_name(factor_id: str, step: int) -> str:
    """The name of a used step in its table."""
    return f"{factor_id} {step}"


def _step(value: object) -> tuple[str, int]:
    factor_id, step = cast("list[str]", value)
    return factor_id, int(step)


def _sent_as_json(value: tuple[str, datetime]) -> list[object]:
    number, sent_at = value
    return [number, ids.milliseconds(sent_at)]


def _sent(value: object) -> tuple[str, datetime]:
    number, sent_at = cast("list[str]", value)
    return number, ids.moment(int(sent_at))


def _same(value: object) -> object:
    return value
