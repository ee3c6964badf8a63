"""One call after another, in one thread: wall time and processor time of each."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs

from benchmarks.contenders import Contender, installed
from benchmarks.rounds import Rounds, take_turns

_WARM_UP = 100
_MICROSECONDS = 1e6


@attrs.frozen
class PerCall:
    """Microseconds a call."""

    wall: Rounds[Contender]
    cpu: Rounds[Contender]


def measure(url: str, *, rounds: int, calls: int) -> PerCall:
    """Rounds of so many calls in a row."""
    wall, cpu = take_turns({contender: _turn(contender.caller(url), calls) for contender in installed()}, rounds)
    return PerCall(wall, cpu)


def _turn(call: Callable[[], object], calls: int) -> Callable[[], tuple[float, ...]]:
    for _ in range(min(calls, _WARM_UP)):
        call()

    def turn() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            call()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return wall / calls * _MICROSECONDS, cpu / calls * _MICROSECONDS

    return turn
