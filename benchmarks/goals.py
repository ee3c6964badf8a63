"""What was set out to be reached, and whether it is: a ratio inside one run, where there is something to compare."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from benchmarks.calls import PerCall
from benchmarks.contenders import BARE, DEFAULT, LEAN, OFFICIAL, REQUESTS, Contender
from benchmarks.endurance import Growth
from benchmarks.rounds import Rounds, Spread
from benchmarks.starts import CODE, IMPORT, NOTHING, Starts
from benchmarks.threads import Crowd

_GROWTH_ALLOWED = 512  # KiB: what the allocator rounds up to, whatever the number of calls


@attrs.frozen
class Goal:
    """One goal.

    :param text: what is wanted.
    :param most: the largest number that is good enough.
    :param found: what was measured, or None where a contender is not installed.
    :param digits: how many digits after the point say something.
    """

    text: str
    most: float
    found: Spread | None
    digits: int = 2

    @property
    def verdict(self) -> str:
        """``reached``, ``missed`` or ``not measured``; by the median."""
        if self.found is None:
            return "not measured"
        return "reached" if self.found.median <= self.most else "missed"


def goals(per_call: PerCall, starts: Starts, crowds: list[Crowd], growths: list[Growth]) -> list[Goal]:
    """All goals, in the order of the page."""
    return [*_of_calls(per_call), *_of_starts(starts), *_of_crowds(crowds[-1]), *_of_growth(growths)]


def _of_calls(per_call: PerCall) -> Iterator[Goal]:
    wall = per_call.wall
    yield Goal("default transport: wall time of a call, of requests.Session.post", 0.70, wall.ratio(DEFAULT, REQUESTS))
    yield Goal("default transport: wall time of a call, of the official SDK", 0.95, wall.ratio(DEFAULT, OFFICIAL))
    yield Goal("Urllib3Transport: wall time of a call, of the official SDK", 0.62, wall.ratio(LEAN, OFFICIAL))
    yield Goal("Urllib3Transport: wall time of a call, of bare http.client", 1.75, wall.ratio(LEAN, BARE))


def _of_starts(starts: Starts) -> Iterator[Goal]:
    imports = starts.imports.ratio(DEFAULT, OFFICIAL, without=NOTHING)
    client = starts.client.ratio(DEFAULT, OFFICIAL, without=NOTHING)
    yield Goal("import, of the official SDK's (Python's own start taken off)", 0.12, imports)
    yield Goal("import and first client, of the official SDK's (Python's own start taken off)", 0.28, client)
    yield Goal("the pytest plugin: milliseconds that it adds to every run of pytest", 5, starts.plugin, 1)
    yield Goal(f"{CODE}: processor time of a run, of {IMPORT}", 0.5, starts.runs.ratio(CODE, IMPORT))
    yield Goal("memory after a first call, of the official SDK's", 0.58, starts.memory.ratio(DEFAULT, OFFICIAL))


def _of_crowds(crowd: Crowd) -> Iterator[Goal]:
    for contender in (DEFAULT, LEAN):
        named = f"{crowd.size} threads on {contender.name}"
        yield Goal(f"{named}: connections opened", crowd.size, _most(crowd.connections, contender), 0)
        yield Goal(f"{named}: time, of the official SDK's", 1.0, crowd.throughput.ratio(OFFICIAL, contender))
        yield Goal(f'{named}: "Connection pool is full"', 0, _most(crowd.full_pools, contender), 0)


def _most(counted: Rounds[Contender], contender: Contender) -> Spread:
    # A count is as good as its worst round.
    most = max(counted.taken[contender])
    return Spread(min(counted.taken[contender]), most, most)


def _of_growth(growths: list[Growth]) -> Iterator[Goal]:
    for growth in growths:
        text = f"{growth.calls:,} calls on {growth.contender.name}: growth in KiB, once warm"
        yield Goal(text, _GROWTH_ALLOWED, Spread(growth.kib, growth.kib, growth.kib), 0)
