"""Turns: each contender once in every round, so that what disturbs the machine disturbs them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

K = TypeVar("K")

_WARM_UP = 100
_MICROSECONDS = 1e6


@attrs.frozen
class Spread:
    """A median and the quartiles around it."""

    low: float
    median: float
    high: float

    def text(self, digits: int = 0) -> str:
        """Median and quartiles, as they stand in a table."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def spread(values: list[float]) -> Spread:
    """The spread of some measurements; of one alone, that one."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, statistics.median(values), high)


@attrs.frozen
class Rounds(Generic[K]):
    """What each contender took, round by round."""

    taken: Mapping[K, list[float]]

    def of(self, contender: K) -> Spread:
        """What one took."""
        return spread(self.taken[contender])

    def ratio(self, one: K, other: K, *, without: K | None = None) -> Spread | None:
        """How many times the other's one took, round by round; what ``without`` took is taken off both first.

        None where one of them was not there.
        """
        if one not in self.taken or other not in self.taken:
            return None
        off = [0.0] * len(self.taken[one]) if without is None else self.taken[without]
        triples = zip(self.taken[one], self.taken[other], off, strict=True)
        return spread([(mine - base) / (theirs - base) for mine, theirs, base in triples])


def take_turns(contenders: Mapping[K, Callable[[], tuple[float, ...]]], rounds: int) -> list[Rounds[K]]:
    """Let each have its turn in every round, in an order that moves on by one each time.

    A turn returns one number for each thing that is measured; so many :class:`Rounds` are returned.
    """
    keys = list(contenders)
    taken: dict[K, list[tuple[float, ...]]] = {key: [] for key in keys}
    for number in range(rounds):
        first = number % len(keys)
        for key in keys[first:] + keys[:first]:
            taken[key].append(contenders[key]())
    width = len(taken[keys[0]][0])
    return [Rounds({key: [turn[place] for turn in turns] for key, turns in taken.items()}) for place in range(width)]


def turn_of(call: Callable[[], object], times: int) -> Callable[[], tuple[float, ...]]:
    """A turn of so many calls in a row, which are warm by then: wall and processor time of a call, in microseconds."""
    for _ in range(min(times, _WARM_UP)):
        call()

    def turn() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            call()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return wall / times * _MICROSECONDS, cpu / times * _MICROSECONDS

    return turn
