"""All that the emulator remembers, in one place and in values that don't change.

The engine reads a record, makes the next one and puts it back. So everything that must survive goes
through the few methods here. It is read from dictionaries; where there is a state file, each change is written
there too, and before the dictionaries: a step that fails halfway is undone in the file, and then read from it. It
does no locking: the engine holds its lock around every use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, cast

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.log import SMSMessage
from workos_mfa.emulator._state.errors import StateFileError
from workos_mfa.emulator._state.records import ChallengeRecord, FactorRecord
from workos_mfa.emulator._state.stored_values import read, written

if TYPE_CHECKING:
    # Only who names a state file needs SQLite.
    from workos_mfa.emulator._state.state_file import Storage

_NO_STEP: AbstractContextManager[None] = nullcontext()


class State:
    """Factors, challenges, text messages and what limits need to be counted.

    :param storage: the state file, to be read with :meth:`load`, or None for no memory beyond this process.
    """

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage
        self._step = _NO_STEP if storage is None else _Step(storage, self.load)
        self._forget()

    def __repr__(self) -> str:
        return f"<State: {self.factor_count} factors, {self.challenge_count} challenges>"

    def load(self) -> None:
        """Remember what the file holds, and nothing else.

        :raises StateFileError: if the file holds something that no emulator writes.
        """
        self._forget()
        if self._storage is None:
            return
        try:
            for kind, key, value in self._storage.entries():
                self._remember(kind, key, value)
        except (LookupError, TypeError, ValueError):
            pass
        else:
            return
        raise StateFileError("the state file is damaged: it holds something that no emulator writes. Use another one.")

    def clear(self) -> None:
        """Forget everything."""
        if self._storage is not None:
            self._storage.drop_all()
        self._forget()

    def step(self) -> AbstractContextManager[None]:
        """Around changes that are to last whole or not at all; they last when it is left."""
        return self._step

    @property
    def factor_count(self) -> int:
        """How many factors there are."""
        return len(self._factors)

    @property
    def challenge_count(self) -> int:
        """How many challenges there are, old ones included."""
        return len(self._challenges)

    @property
    def sms_count(self) -> int:
        """How many text messages were sent, forgotten ones included."""
        return self._sms_count

    def factor(self, factor_id: str) -> FactorRecord | None:
        """The factor, or None where there is none or it was deleted."""
        return self._factors.get(factor_id)

    def put_factor(self, factor: FactorRecord) -> None:
        """Add a factor, or put its next state in its place."""
        if self._storage is not None:
            self._storage.put("factor", factor.id, written(factor))
        self._add_factor(factor)

    def delete_factor(self, factor: FactorRecord) -> None:
        """Forget a factor; its challenges stay, so that it can be said what became of them."""
        if self._storage is not None:
            self._storage.drop("factor", factor.id)
        del self._factors[factor.id]
        if factor.user_id is not None:
            del self._factors_of_user[factor.user_id][factor.id]

    def factors_of_user(self, user_id: str) -> Iterable[FactorRecord]:
        """The factors that belong to a user, in the order in which they were made."""
        return [self._factors[factor_id] for factor_id in self._factors_of_user.get(user_id, ())]

    def factors(self) -> Sequence[FactorRecord]:
        """All factors, in the order in which they were made."""
        return list(self._factors.values())

    def count_of_user(self, user_id: str) -> int:
        """How many factors belong to a user."""
        return len(self._factors_of_user.get(user_id, ()))

    def challenge(self, challenge_id: str) -> ChallengeRecord | None:
        """The challenge, or None where there is none."""
        return self._challenges.get(challenge_id)

    def codes_of(self, factor_id: str) -> set[str]:
        """The codes of all challenges of a factor that have one, old ones included."""
        return {one.code for one in self._challenges.values() if one.factor_id == factor_id and one.code is not None}

    def put_challenge(self, challenge: ChallengeRecord) -> None:
        """Add a challenge, the newest of its factor, or put its next state in its place."""
        if self._storage is not None:
            self._storage.put("challenge", challenge.id, written(challenge))
        self._add_challenge(challenge)

    def is_newest(self, challenge: ChallengeRecord) -> bool:
        """Whether its factor has had no challenge since."""
        return self._newest_challenge[challenge.factor_id] == challenge.id

    def is_step_used(self, factor_id: str, step: int) -> bool:
        """Whether the factor has accepted the code of this step."""
        return (factor_id, step) in self._used_steps

    def use_step(self, factor_id: str, step: int) -> None:
        """Note that the factor has accepted the code of this step."""
        if self._storage is not None:
            self._storage.put("step", f"{factor_id} {step}", [factor_id, step])
        self._used_steps.add((factor_id, step))

    def sms_sent_since(self, number: str, moment: datetime) -> int:
        """How many messages the number got after a moment; what is older is forgotten."""
        times = self._sms_times.get(number, deque())
        while times and times[0] <= moment:
            times.popleft()
        return len(times)

    def note_sms(self, message: SMSMessage) -> None:
        """Note that a message was sent."""
        if self._storage is not None:
            self._storage.put("sms", str(self._sms_count), [message.to, ids.milliseconds(message.sent_at)])
            self._storage.put("message", message.challenge_id, written(message))
        self._add_sms(message.to, message.sent_at)

    def messages(self) -> Iterable[SMSMessage]:
        """The text messages that the file held, once: for an outbox that begins."""
        messages = list(self._messages)
        self._messages.clear()
        return messages

    def forget_messages(self) -> None:
        """Forget what the messages said, but not that they were sent."""
        if self._storage is not None:
            self._storage.drop_all("message")

    def email(self, user_id: str) -> str | None:
        """The address of a user that was seeded, or None."""
        return self._users.get(user_id)

    def put_user(self, user_id: str, email: str) -> None:
        """Add a user, or change the address."""
        if self._storage is not None:
            self._storage.put("user", user_id, email)
        self._users[user_id] = email

    def note(self, name: str, value: object) -> None:
        """Keep a value that is none of the API's objects, such as how far the clock is ahead."""
        if self._storage is not None:
            self._storage.put("note", name, value)
        self._notes[name] = value

    def noted(self, name: str) -> object:
        """The value of that name, or None."""
        return self._notes.get(name)

    def _forget(self) -> None:
        self._factors: dict[str, FactorRecord] = {}
        self._challenges: dict[str, ChallengeRecord] = {}
        self._newest_challenge: dict[str, str] = {}
        self._factors_of_user: dict[str, dict[str, None]] = {}
        self._used_steps: set[tuple[str, int]] = set()
        self._sms_times: dict[str, deque[datetime]] = {}
        self._sms_count = 0
        self._users: dict[str, str] = {}
        self._notes: dict[str, object] = {}
        self._messages: list[SMSMessage] = []

    def _remember(self, kind: str, key: str, value: object) -> None:
        if kind == "factor":
            self._add_factor(read(FactorRecord, value))
        elif kind == "challenge":
            self._add_challenge(read(ChallengeRecord, value))
        elif kind == "step":
            factor_id, step = cast("list[str]", value)
            self._used_steps.add((factor_id, int(step)))
        elif kind == "sms":
            number, sent_at = cast("list[str]", value)
            self._add_sms(number, ids.moment(int(sent_at)))
        elif kind == "message":
            self._messages.append(read(SMSMessage, value))
        elif kind == "user":
            self._users[key] = str(value)
        elif kind == "note":
            self._notes[key] = value
        else:
            raise LookupError(kind)

    def _add_factor(self, factor: FactorRecord) -> None:
        self._factors[factor.id] = factor
        if factor.user_id is not None:
            self._factors_of_user.setdefault(factor.user_id, {})[factor.id] = None

    def _add_challenge(self, challenge: ChallengeRecord) -> None:
        if challenge.id not in self._challenges:
            self._newest_challenge[challenge.factor_id] = challenge.id
        self._challenges[challenge.id] = challenge

    def _add_sms(self, number: str, moment: datetime) -> None:
        self._sms_times.setdefault(number, deque()).append(moment)
        self._sms_count += 1


class _Step:
    """Changes that last whole or not at all."""

    def __init__(self, storage: Storage, load: Callable[[], None]) -> None:
        self._storage = storage
        self._load = load

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._storage.commit()
        finally:
            if self._storage.rollback():
                self._load()
