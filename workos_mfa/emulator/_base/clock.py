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
_RANGE = "the clock goes from 1970 to the end of 9998"


@attrs.frozen
class ClockSetting:
    """What makes a clock differ from another one: the moment at which it stands, or its distance from real time."""

    frozen_at: datetime | None
    ahead: timedelta

    def now(self, real: datetime) -> datetime:
        return self.frozen_at or real + self.ahead


class Clock:
    """A clock that runs with real time until it is moved or frozen.

    :param start: an aware datetime at which the clock stands still, or None for the real time, running.
    :raises TypeError: if ``start`` is something else.
    :raises ValueError: if ``start`` has no time zone or is not between 1970 and 9998.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._moved: Callable[[], object] = lambda: None
        self._start = None if start is None else _checked("now", start)
        # One value that is replaced as a whole, so that reading it needs no lock.
        self._setting: ClockSetting = ClockSetting(self._start, timedelta())

    def __repr__(self) -> str:
        state = "stands" if self.is_frozen else "runs"
        return f"<Clock {state} at {self.now().isoformat()}>"

    def now(self) -> datetime:
        """The emulator's time, an aware datetime in UTC."""
        return self._setting.now(_real_time())

    def advance(self, seconds: float | timedelta) -> None:
        """Move forwards, whether the clock runs or stands; a transport's ``sleep`` may be this method.

        :param seconds: how far, in seconds or as a timedelta; zero or more.
        :raises TypeError: if it is neither.
        :raises ValueError: if it is negative or not finite, or leads past the year 9998.
        """
        self.move(by=seconds)

    def wait(self, seconds: float | timedelta) -> None:
        """Let time pass: move the clock if it stands, and wait in earnest if it runs.

        :param seconds: how long; zero or more.
        :raises TypeError: as :meth:`advance` does.
        :raises ValueError: as :meth:`advance` does.
        """
        if self.is_frozen:
            self.move(by=seconds)
        else:
            time.sleep(_seconds(seconds))

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands until it is moved."""
        return self._setting.frozen_at is not None

    def freeze(self) -> None:
        """Stand still from now on; ``advance`` and ``set`` still move the clock."""
        self.move(frozen=True)

    def unfreeze(self) -> None:
        """Run on from where the clock stands."""
        self.move(frozen=False)

    def set(self, moment: datetime) -> None:
        """Go to a moment, forwards or back; a running clock runs on from there.

        :param moment: an aware datetime.
        :raises TypeError: if it is something else.
        :raises ValueError: if it has no time zone or is not between 1970 and 9998.
        """
        self.move(to=_checked("the clock", moment))

    def move(self, *, to: datetime | None = None, by: float | timedelta = 0, frozen: bool | None = None) -> None:
        """Do several of these in one step: all of them, or none where one of them is refused.

        :param to: as for :meth:`set`; None to stay.
        :param by: as for :meth:`advance`, from there.
        :param frozen: whether the clock stands afterwards; None for as before.
        :raises TypeError: as they do.
        :raises ValueError: as they do.
        """
        seconds = _seconds(by)
        start = None if to is None else _checked("the clock", to)
        with self._lock:
            before, real = self._setting, _real_time()
            moment = _later(start or before.now(real), seconds)
            stands = before.frozen_at is not None if frozen is None else frozen
            self._setting = ClockSetting(moment if stands else None, moment - real)
        try:
            self._moved()
        except BaseException:
            self._setting = before
            raise

    def reset(self) -> None:
        """Be again as at the start: at real time and running, or where the clock was made to stand."""
        with self._lock:
            self._setting = ClockSetting(self._start, timedelta())
        self._moved()

    def setting(self) -> ClockSetting:
        """Where the clock stands, or how far it is from real time."""
        return self._setting

    def resume(self, setting: ClockSetting | None, moved: Callable[[], None]) -> None:
        """Continue as a clock before this one, and tell of every later move.

        :param setting: of the clock before; None where there was none.
        :param moved: called after every move; what it raises takes the move back.
        """
        self._setting = setting or self._setting
        self._moved = moved


def _real_time() -> datetime:
    return datetime.fromtimestamp(time.time(), timezone.utc)


def _seconds(value: object) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(
            f"the clock takes seconds as a number, such as 601, or a timedelta, not {type(value).__name__!r}"
        )
    # NaN fails any comparison, and an int may be too long to be made a float.
    if not 0 <= value < math.inf:
        raise ValueError("the clock goes forwards by zero or more seconds; use set() to go back")
    return value


def _later(moment: datetime, seconds: float) -> datetime:
    try:
        return _checked("the clock", moment + timedelta(seconds=seconds))
    except OverflowError:
        pass
    raise ValueError(_RANGE)


def _checked(name: str, moment: object) -> datetime:
    example = "such as datetime(2026, 1, 15, 12, tzinfo=timezone.utc)"
    if not isinstance(moment, datetime):
        raise TypeError(f"{name} takes a datetime with a time zone, {example}, not {type(moment).__name__!r}")
    if moment.tzinfo is None:
        raise ValueError(f"{name} takes a datetime with a time zone, {example}")
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError(_RANGE)
    return moment.astimezone(timezone.utc)
