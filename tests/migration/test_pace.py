"""The pace of all workers together, on a clock that the test moves."""

from __future__ import annotations

import math
from bisect import bisect_left

import attrs
import pytest

from workos_mfa._migration.pace import Pace


@attrs.define
class Time:
    """A clock on which to wait takes no time."""

    now: float = 1000.0

    def clock(self) -> float:
        """The time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def _paced(rate: float, patience: int = 4) -> tuple[Pace, Time]:
    time = Time()
    return Pace(rate, patience, time.wait, time.clock), time


def _writes(pace: Pace, time: Time, seconds: float) -> list[float]:
    """When the writes were that went out in so many seconds."""
    end, moments = time.now + seconds, list[float]()
    while time.now < end:
        assert pace.for_a_write()
        moments.append(time.now)
    return moments


@pytest.mark.parametrize(("rate", "most"), [(40.0, 421), (50.0, 502), (10.0, 106), (0.5, 6)])
def test_the_rate(rate: float, most: int) -> None:
    """It is kept, and what is saved up by workers who are late does not break the limit of any ten seconds."""
    pace, time = _paced(rate)
    moments = _writes(pace, time, 20)
    assert len(moments) == pytest.approx(20 * rate, abs=2)
    time.now += 100
    moments += _writes(pace, time, 20)
    assert max(bisect_left(moments, each + 10) - place for place, each in enumerate(moments)) <= most


def test_workers_who_are_late_lose_nothing() -> None:
    """A little is saved up, so that the rate is reached although calls take their time."""
    pace, time = _paced(40)
    started = time.now
    for number in range(400):
        pace.for_a_write()
        time.now += 0.07 if number % 10 == 0 else 0.02
    assert time.now - started == pytest.approx(10, abs=0.5)


def test_a_refusal_slows_all() -> None:
    """All wait as long as the API says, reads too; then the pace is half, and grows evenly within half a minute."""
    pace, time = _paced(40)
    began = pace.now()
    pace.limited(began, 7.0)
    pace.limited(began, 5.0)  # a call that was out at the same time
    assert pace.pause_left == 7
    assert pace.for_a_read()
    assert time.now == began + 7
    assert pace.for_a_read()
    assert len(_writes(pace, time, 3)) == pytest.approx(63, abs=3)
    assert len(_writes(pace, time, 27)) == pytest.approx(27 * 31, abs=10)
    assert len(_writes(pace, time, 10)) == pytest.approx(400, abs=3)


def test_a_longer_wait_counts() -> None:
    """Of two calls that were out together the longer wait counts, and a wait that a worker has begun grows with it."""
    pace, time = _paced(1)
    pace.for_a_write()
    began = pace.now()
    interrupted = [began]

    def wait(seconds: float) -> None:
        time.now += seconds
        if interrupted:
            pace.limited(interrupted.pop(), 60)

    pace._wait = wait
    pace.limited(began, 5)
    assert pace.for_a_write()
    assert time.now >= began + 65


def test_without_a_time_the_pauses_grow() -> None:
    """They are one second, two, four, up to thirty, and one again after a call that went well."""
    pace, time = _paced(40)
    pauses = list[float]()
    for _ in range(7):
        pace.limited(pace.now(), None)
        pauses.append(pace.pause_left)
        time.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert not pace.is_hopeless
    pace.good()
    pace.limited(pace.now(), None)
    assert pace.pause_left == 1
    time.now += 1
    assert len(_writes(pace, time, 1)) >= 4  # never less than a tenth


def test_no_pause_is_longer_than_an_hour() -> None:
    """A time that must be a mistake does not stop the import for good."""
    pace, _ = _paced(40)
    pace.limited(pace.now(), 1e300)
    assert pace.pause_left == 3600


def test_no_connection_for_long_is_hopeless() -> None:
    """After seven pauses without a response there is no use in going on."""
    pace, time = _paced(40)
    for number in range(7):
        assert not pace.is_hopeless, number
        pace.unreachable(pace.now())
        time.now += pace.pause_left
    assert pace.is_hopeless


def test_a_lost_response_is_no_trouble_yet() -> None:
    """It is one if as many in a row are lost as there are workers."""
    pace, _ = _paced(40, patience=3)
    for _ in range(2):
        pace.unclear(pace.now())
        pace.unclear(pace.now())
        assert pace.pause_left == 0
        pace.good()
    for left in (0, 0, 1):
        pace.unclear(pace.now())
        assert pace.pause_left == left


def test_stopping() -> None:
    """Who waits is let go at once, and nobody gets another token."""
    pace = Pace(0.001, 4)
    assert pace.for_a_write()
    pace.limited(pace.now(), math.inf)
    pace.stop()
    assert not pace.for_a_write()
    assert not pace.for_a_read()
    pace, time = _paced(0.001)
    pace._wait = lambda _: pace.stop()
    pace.for_a_write()
    assert not pace.for_a_write()
    pace, time = _paced(1)
    pace.limited(pace.now(), 5)
    pace._wait = lambda _: pace.stop()
    assert not pace.for_a_read()
    assert time.now == 1000
