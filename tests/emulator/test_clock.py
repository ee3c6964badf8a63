"""The clock runs, stands and moves, and says what it can't do."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from workos_mfa.emulator._base.clock import Clock

START = datetime(2026, 8, 21, 12, tzinfo=timezone.utc)


def _is_real(moment: datetime) -> bool:
    return abs(moment - datetime.now(timezone.utc)) < timedelta(seconds=30)


def test_runs_with_real_time_unless_told() -> None:
    """Without a start the clock shows the real time and goes on."""
    clock = Clock()
    first = clock.now()
    assert _is_real(first)
    assert clock.now() >= first
    assert repr(clock).startswith("<Clock runs at 20")


def test_stands_at_its_start() -> None:
    """A clock with a start stands there, in UTC."""
    clock = Clock(START.astimezone(timezone(timedelta(hours=2))))
    assert clock.now() == clock.now() == START
    assert clock.now().tzinfo is timezone.utc
    assert repr(clock) == "<Clock stands at 2026-08-21T12:00:00+00:00>"


def test_advances_by_seconds_running_or_not() -> None:
    """Seconds, whole or not, move a standing clock and a running one."""
    clock = Clock(START)
    clock.advance(601.5)
    assert clock.now() == START + timedelta(seconds=601.5)
    clock.advance(timedelta(minutes=1))
    assert clock.now() == START + timedelta(seconds=661.5)
    running = Clock()
    running.advance(3600)
    assert _is_real(running.now() - timedelta(hours=1))


def test_goes_to_a_moment_and_back() -> None:
    """``set`` goes anywhere; a running clock runs on from there."""
    clock = Clock(START)
    clock.set(START - timedelta(days=1))
    assert clock.now() == START - timedelta(days=1)
    running = Clock()
    running.set(START)
    assert START <= running.now() < START + timedelta(seconds=30)


def test_freezes_and_resets() -> None:
    """A frozen clock stands until it is reset; a reset brings back the start."""
    clock = Clock()
    clock.freeze()
    assert clock.now() == clock.now()
    clock.advance(1000)
    clock.reset()
    assert _is_real(clock.now())
    assert repr(clock).startswith("<Clock runs")
    standing = Clock(START)
    standing.advance(5)
    standing.reset()
    assert standing.now() == START


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        *((seconds, "zero or more seconds") for seconds in (-1, math.nan, math.inf, timedelta(seconds=-1))),
        *((seconds, "from 1970 to the end of 9998") for seconds in (1e300, 9e11, 1e10 * 30, timedelta.max)),
        pytest.param(10**399, "from 1970 to the end of 9998", id="400 digits"),
    ],
)
def test_refuses_to_go_back_or_for_ever(seconds: float | timedelta, problem: str) -> None:
    """What is not a span of time forwards, or leads past the calendar, is refused, and nothing moves."""
    clock = Clock(START)
    with pytest.raises(ValueError, match=problem):
        clock.advance(seconds)
    assert clock.now() == START


def test_refuses_moments_without_zone_or_out_of_range() -> None:
    """A naive datetime and a year before 1970 are refused, at the start and later."""
    with pytest.raises(ValueError, match="with a time zone"):
        Clock(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="from 1970"):
        Clock().set(datetime(1969, 12, 31, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("move", "problem"),
    [
        (lambda clock: clock.advance("601"), "takes seconds as a number, such as 601, or a timedelta, not 'str'"),
        (lambda clock: clock.advance(None), "not 'NoneType'"),
        (lambda clock: clock.advance(seconds=True), "not 'bool'"),
        (lambda clock: clock.wait("601"), "takes seconds as a number"),
        (
            lambda clock: clock.set("2026-01-15"),
            "the clock takes a datetime with a time zone, such as datetime(2026, 1",
        ),
        (lambda clock: clock.set(START.date()), "not 'date'"),
        (lambda clock: clock.set(None), "not 'NoneType'"),
    ],
)
def test_refuses_what_is_no_time(move: Callable[[Any], object], problem: str) -> None:
    """Something of another type is a TypeError that says what to pass, and nothing moves."""
    clock = Clock(START)
    with pytest.raises(TypeError, match=re.escape(problem)):
        move(clock)
    assert clock.now() == START


def test_moves_all_at_once() -> None:
    """One step sets, advances and stops a clock, or does none of it where a part can't be done."""
    clock = Clock()
    clock.move(to=START, by=5, frozen=True)
    assert clock.now() == clock.now() == START + timedelta(seconds=5)
    with pytest.raises(ValueError, match="zero or more seconds"):
        clock.move(to=START, by=-1, frozen=False)
    with pytest.raises(ValueError, match="from 1970"):
        clock.move(to=START, by=1e300, frozen=False)
    assert clock.now() == clock.now() == START + timedelta(seconds=5)


def test_a_running_clock_loses_no_time_by_being_moved() -> None:
    """However often it is moved, a running clock is as far ahead of real time as it was told to go."""
    clock = Clock()
    for _ in range(1000):
        clock.advance(1)
    assert clock.setting().ahead == timedelta(seconds=1000)


def test_letting_a_running_clock_go_changes_nothing() -> None:
    """A clock that runs already runs on."""
    clock = Clock()
    clock.advance(100)
    before = clock.now()
    clock.unfreeze()
    assert before <= clock.now() < before + timedelta(minutes=5)


def test_time_passes_on_either_kind_of_clock() -> None:
    """Waiting moves a clock that stands, and takes its time on one that runs."""
    clock = Clock()
    for span in (0.002, timedelta(milliseconds=2)):
        began = time.monotonic()
        clock.wait(span)
        assert time.monotonic() - began >= 0.002
    clock.freeze()
    stood_at = clock.now()
    clock.wait(60)
    assert clock.now() == stood_at + timedelta(seconds=60)
