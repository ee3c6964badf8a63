"""What an emulator has in its head: its state, its outbox, the series of its ids, and the lock before all that.

It goes on where an emulator before it stopped, if they share a state file.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, cast

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Outbox
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._state.store import State
from workos_mfa.emulator._state.stored_values import read_clock, written_clock

if TYPE_CHECKING:
    # Only who names a state file needs SQLite.
    from workos_mfa.emulator._state.state_file import Storage


class Memory:
    """The memory of one emulator.

    :param clock: its clock, which is set to where it stood.
    :param randomness: where ids, secrets and codes come from.
    :param storage: the state file, or None.
    :ivar lock: to be held around every use of the state.
    :ivar state: factors, challenges and so on.
    :ivar outbox: the text messages.
    :ivar randomness: as above.
    """

    def __init__(self, clock: Clock, randomness: Randomness, storage: Storage | None) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()
        self.state: State = State(storage)
        self.outbox: Outbox = Outbox(self._clearing)
        self.randomness = randomness
        self._clock = clock
        self._storage = storage
        self._next_id = ids.IdMaker(randomness)
        try:
            self.state.load()
            self._go_on()
        except BaseException:
            self.close()
            raise

    def new_id(self, prefix: str, now: datetime) -> str:
        """A new id, within a step of the state."""
        made = self._next_id(prefix, now)
        self.state.note("drawn", [self._next_id.last, self.randomness.position])
        return made

    def reset(self) -> None:
        """Forget everything, and begin all series anew."""
        with self.lock:
            with self.state.step():
                self.state.clear()
            self._next_id.last = 0
            self.randomness.restart()
            self.outbox.clear()
            self._clock.reset()

    def close(self) -> None:
        """Let go of the state file, if there is one."""
        if self._storage is not None:
            with self.lock:
                self._storage.close()

    def _go_on(self) -> None:
        drawn = cast("list[int]", self.state.noted("drawn") or [0, 0])
        self._next_id.last, self.randomness.position = drawn
        for message in self.state.messages():
            self.outbox.append(message)
        setting = self.state.noted("clock")
        self._clock.go_on(None if setting is None else read_clock(setting), self._keep_clock)

    def _keep_clock(self) -> None:
        with self.lock, self.state.step():
            self.state.note("clock", written_clock(self._clock.setting()))

    @contextmanager
    def _clearing(self) -> Generator[None, None, None]:
        with self.lock, self.state.step():
            self.state.forget_messages()
            yield
