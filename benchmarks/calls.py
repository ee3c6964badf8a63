"""One call after another, in one thread: wall time and processor time of each."""

from __future__ import annotations

import attrs

from benchmarks.contenders import Contender, installed
from benchmarks.rounds import Rounds, take_turns, turn_of


@attrs.frozen
class PerCall:
    """Microseconds a call."""

    wall: Rounds[Contender]
    cpu: Rounds[Contender]


def measure(url: str, *, rounds: int, calls: int) -> PerCall:
    """Rounds of so many calls in a row."""
    wall, cpu = take_turns({contender: turn_of(contender.caller(url), calls) for contender in installed()}, rounds)
    return PerCall(wall, cpu)
