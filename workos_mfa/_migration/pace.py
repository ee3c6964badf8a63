"""The pace of all workers together: so many writes a second, and slower while the API asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PUBLISHED = 50.0
"""Writes a second that WorkOS publishes: 500 in 10 seconds, for an environment."""

_WINDOW = 10.0  # seconds over which WorkOS counts
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_ASKED = 3600.0  # more would be a mistake of whoever set it
_RETURN = 30.0  # seconds until the pace is the full one again
_LEAST_PART = 0.1
_MOST_PAUSES = 7


class Pace:
    """A bucket of tokens that all workers share.

    Where WorkOS refuses one worker for the rate, or does not respond, all of them pause: as long as ``Retry-After``
    says, or one second, two, four, up to thirty. Then they go on at half the pace, and come back to the full one within
    half a minute.

    :param rate: writes a second.
    :param patience: how many calls in a row may stay without a response that is clear, before it counts as a pause.
    :param wait: how to wait, in seconds; if left out, so that :meth:`stop` ends it.
    :param clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        rate: float,
        patience: int,
        wait: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._full = rate
        # What is saved up while workers are late: at most half a second's, and never more than the window has room for.
        self._burst = max(1.0, min(rate / 2, _WINDOW * (PUBLISHED - rate))) if rate <= PUBLISHED else rate / 2
        self._patience = patience
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._clock = clock
        self._lock = threading.Lock()
        self._next = self._resumed_at = clock()
        self._part = 1.0  # of the full pace, right after the last pause
        self._pauses = 0  # since the last call that went well
        self._silent = 0  # pauses among them for which the API gave no reason
        self._unclear = 0

    def stop(self) -> None:
        """End all waiting, and give no more tokens."""
        self._stopped.set()

    def for_a_write(self) -> bool:
        """Wait for a token; False if the import is being stopped."""
        while not self._stopped.is_set():
            with self._lock:
                now, pause = self._clock(), self._resumed_at
                slot = max(self._next, now - self._burst / self._full)
                self._next = slot + 1 / self._rate_at(max(slot, now))
            self._wait(max(0.0, slot - now))
            with self._lock:
                if pause == self._resumed_at and not self._stopped.is_set():
                    return True
        return False

    def for_a_read(self) -> bool:
        """Wait until there is no pause; False if the import is being stopped."""
        while not self._stopped.is_set():
            left = self.pause_left
            if not left:
                return True
            self._wait(left)
        return False

    def good(self) -> None:
        """A call went well."""
        with self._lock:
            self._pauses = self._silent = self._unclear = 0

    def limited(self, began: float, retry_after: float | None) -> None:
        """The API has refused a call for the rate.

        :param began: when the call was made; several that were out together are one refusal.
        :param retry_after: seconds that the API asks to wait, if it does.
        """
        with self._lock:
            self._pause(began, retry_after, silent=False)

    def unreachable(self, began: float) -> None:
        """No connection was made."""
        with self._lock:
            self._pause(began, None, silent=True)

    def unclear(self, began: float) -> None:
        """There was no response that says what happened. It is a sign of trouble only where it goes on."""
        with self._lock:
            self._unclear += 1
            if self._unclear >= self._patience:
                self._pause(began, None, silent=True)

    @property
    def is_hopeless(self) -> bool:
        """Whether nothing has gone well for so many pauses that there is no use in going on."""
        with self._lock:
            return self._silent >= _MOST_PAUSES

    @property
    def pause_left(self) -> float:
        """Seconds until the calls go on; 0.0 if there is no pause."""
        with self._lock:
            return max(0.0, self._resumed_at - self._clock())

    def now(self) -> float:
        """The time of the clock, for the calls' ``began``."""
        return self._clock()

    def _pause(self, began: float, asked: float | None, *, silent: bool) -> None:
        now = self._clock()
        until = now + (
            min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._pauses) if asked is None else min(asked, _LONGEST_ASKED)
        )
        if began >= self._resumed_at:
            self._part = max(_LEAST_PART, self._rate_at(now) / self._full / 2)
            self._pauses += 1
            self._silent += silent
        elif asked is None or until <= self._resumed_at:
            return
        self._next = self._resumed_at = until

    def _rate_at(self, moment: float) -> float:
        """The pace at a moment: it grows evenly from the one after the pause to the full one."""
        passed = max(0.0, moment - self._resumed_at) / _RETURN
        return self._full * min(1.0, self._part + (1.0 - self._part) * passed)
