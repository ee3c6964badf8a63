"""The emulator's time, so that a test of ten minutes takes none.

Expiry, TOTP codes, ids and timestamps all read this one clock; whoever moves it moves them all.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import attrs

_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A year before the last date that exists, so that an expiry or a running clock can't pass it.
_LATEST = datetime(9999, 1, 1, tzinfo=timezone.utc)


@attrs.frozen
class ClockSetting:
    """What makes a clock differ from another one: the moment at which it stands, or its distance from real time."""

    frozen_at: datetime | None
    ahead: timedelta


class Clock:
    """A clock that runs with real time until it is moved or frozen.

    :param start: an aware datetime at which the clock stands still, or None for the real time, running.
    :raises ValueError: if ``start`` has no time zone or is not between 1970 and 9998.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._moved: Callable[[], None] = _nobody
        self._start = None if start is None else _checked(start)
        self._frozen_at = self._start
        self._ahead = timedelta()

    def __repr__(self) -> str:
        state = "runs" if self._frozen_at is None else "stands"
        return f"<Clock {state} at {self.now().isoformat()}>"

    def now(self) -> datetime:
        """The emulator's time, an aware datetime in UTC."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> None:
        """Move forwards, whether the clock runs or stands; a transport's ``sleep`` may be this method.

        :param seconds: how far, in seconds; zero or more.
        :raises ValueError: if ``seconds`` is negative or not finite, or leads past the year 9998.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("advance() takes zero or more seconds; use set() to go back")
        with self._lock:
            try:
                moment = self._now() + timedelta(seconds=seconds)
            except OverflowError:
                moment = datetime.max.replace(tzinfo=timezone.utc)
            self._move_to(_checked(moment))
        self._moved()

    def wait(self, seconds: float) -> None:
        """Let time pass: move the clock if it stands, and wait in earnest if it runs.

        :param seconds: how long; zero or more.
        :raises ValueError: as :meth:`advance` does.
        """
        if self.is_frozen:
            self.advance(seconds)
        else:
            time.sleep(seconds)

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands until it is moved."""
        with self._lock:
            return self._frozen_at is not None

    def freeze(self) -> None:
        """Stand still from now on; ``advance`` and ``set`` still move the clock."""
        with self._lock:
            self._frozen_at = self._now()
        self._moved()

    def unfreeze(self) -> None:
        """Run on from where the clock stands."""
        with self._lock:
            if self._frozen_at is not None:
                self._ahead = self._frozen_at - _real_time()
                self._frozen_at = None
        self._moved()

    def set(self, moment: datetime) -> None:
        """Go to a moment, forwards or back; a running clock runs on from there.

        :param moment: an aware datetime.
        :raises ValueError: if it has no time zone or is not between 1970 and 9998.
        """
        with self._lock:
            self._move_to(_checked(moment))
        self._moved()

    def reset(self) -> None:
        """Be again as at the start: at real time and running, or where the clock was made to stand."""
        with self._lock:
            self._frozen_at = self._start
            self._ahead = timedelta()
        self._moved()

    def setting(self) -> ClockSetting:
        """Where the clock stands, or how far it is from real time."""
        with self._lock:
            return ClockSetting(self._frozen_at, self._ahead)

    def go_on(self, setting: ClockSetting | None, moved: Callable[[], None]) -> None:
        """Go on as a clock before this one, and tell of every later move.

        :param setting: of the clock before; None where there was none.
        :param moved: called after every move.
        """
        with self._lock:
            if setting is not None:
                self._frozen_at = setting.frozen_at
                self._ahead = setting.ahead
            self._moved = moved

    def _now(self) -> datetime:
        return self._frozen_at or _real_time() + self._ahead

    def _move_to(self, moment: datetime) -> None:
        if self._frozen_at is None:
            self._ahead = moment - _real_time()
        else:
            self._frozen_at = moment


def _nobody() -> None:
    """Nobody wants to know."""


def _real_time() -> datetime:
    return datetime.fromtimestamp(time.time(), timezone.utc)


def _checked(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("the clock needs a datetime with a time zone, such as datetime.now(timezone.utc)")
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("the clock goes from 1970 to the end of 9998")
    return moment.astimezone(timezone.utc)
