"""The proof of the calibration: no verdict is wrong, whatever the API does and whatever goes wrong.

A run asks everything there is to ask. Each counts its verdicts against the settings that the API has, and is replayed.
With ``WORKOS_MFA_CALIBRATION=full`` all of it is run, over HTTP; else a part of it, most of it in process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext

import attrs
import pytest

from tests.calibration.strange import STRANGE, LocksInOtherWords, Strange
from tests.calibration.world import (
    EVERYTHING,
    FULL,
    USER,
    VALUES,
    World,
    chance,
    over_http,
    random_settings,
    truth,
    world,
    wrong_in,
)
from workos_mfa import Emulator
from workos_mfa._calibration.calibration import Outcome, Plan
from workos_mfa._calibration.comparison import compare
from workos_mfa._calibration.question import Value
from workos_mfa._calibration.replay import replay

COMBINATIONS = 100 if FULL else 4
OVER_HTTP = 10_000 if FULL else 1
WITH_FAULTS = 300 if FULL else 8
FAULTS_OVER_HTTP = 30 if FULL else 1

Tell = Callable[[str], None]


@attrs.define
class Count:
    """What came out of many runs."""

    runs: int = 0
    over_http: int = 0
    verdicts: int = 0
    open: int = 0
    may_remain: int = 0
    wrong: list[str] = attrs.field(factory=list[str])
    differences: list[str] = attrs.field(factory=list[str])

    def add(self, made: World, outcome: Outcome, settings: Mapping[str, Value]) -> None:
        """Count a run, and replay it."""
        self.runs += 1
        self.over_http += made.transport is not made.emulator
        self.verdicts += sum(verdict.answer is not None for verdict in outcome.verdicts)
        self.open += sum(verdict.answer is None for verdict in outcome.verdicts)
        self.may_remain += len(outcome.may_remain)
        self.wrong += wrong_in(outcome, settings)
        self.differences += replay(outcome).differences

    def __str__(self) -> str:
        where = f"{self.runs - self.over_http} runs in process and {self.over_http} over HTTP"
        return (
            f"{where}, {self.verdicts} verdicts, {len(self.wrong)} wrong, {self.open} open, "
            f"{len(self.differences)} differences in the replay"
        )


def each_value() -> Iterator[dict[str, Value]]:
    """Settings in which each value of each setting is there: alone in full, else many at once."""
    alone = [{name: value} for name, values in VALUES.items() for value in values]
    together = [
        {name: values[(number + place) % len(values)] for place, (name, values) in enumerate(VALUES.items())}
        for number in range(max(map(len, VALUES.values())))
    ]
    yield from alone if FULL else together


def asked(settings: Mapping[str, Value], number: int) -> tuple[World, Outcome]:
    """Everything asked of an API with these settings."""
    made = world(settings, number)
    with over_http(made) if number < OVER_HTTP else nullcontext(made) as reached:
        return reached, reached.calibrate(EVERYTHING)


@pytest.mark.parametrize("which", ["each value", "random combinations"])
def test_no_verdict_is_wrong(which: str, tell: Tell) -> None:
    """Whatever the settings of an API are, what is found is true, and the replay shows no difference."""
    count = Count()
    combinations = (random_settings(chance(number)) for number in range(COMBINATIONS))
    for number, settings in enumerate(each_value() if which == "each value" else combinations):
        made, outcome = asked(settings, number)
        count.add(made, outcome, settings)
        assert (repr(made.emulator).split(",")[0], outcome.stopped) == ("<Emulator: 0 factors", "")
    tell(f"{which}: {count}")
    assert (count.wrong, count.differences) == ([], [])
    # Only what another setting hides is open.
    assert count.open < count.verdicts / 8


def trouble(emulator: Emulator, chosen: random.Random, delays: tuple[int, ...]) -> None:
    """From 12 to 60 faults, somewhere behind the first two calls of a run, and a rate limit."""
    faults = emulator.faults
    kinds: list[Callable[..., object]] = [
        *(faults.lose_request, faults.lose_response, faults.cut_body, faults.refuse_connection, faults.respond_html),
        *(lambda status=status, **where: faults.respond(status, **where) for status in (401, 408, 429, 500, 503)),
        *(lambda status=status, **where: faults.respond_html(status, **where) for status in (200, 404)),
        *(lambda status=status, **where: faults.respond_broken_json(status, **where) for status in (200, 201)),
        *(lambda seconds=seconds, **where: faults.delay(seconds, **where) for seconds in delays),
        lambda **where: faults.respond(429, retry_after=5, **where),
    ]
    for _ in range(chosen.randrange(12, 61)):
        chosen.choice(kinds)(after=chosen.randrange(2, 900), count=chosen.choice((1, 1, 1, 3)))
    faults.rate_limit(chosen.randrange(20, 200), chosen.randrange(5, 30), count=chosen.randrange(1, 9))


def test_no_verdict_is_wrong_whatever_gets_lost(tell: Tell) -> None:
    """With faults, rate limits and lost responses, a verdict is right or open, and what may remain is said."""
    count = Count()
    for number in range(WITH_FAULTS):
        settings = random_settings(chance(number)) if number % 2 else {}
        made = world(settings, number)
        is_served = number < FAULTS_OVER_HTTP
        # Over HTTP a delay is a real wait.
        trouble(made.emulator, chance(number), () if is_served else (3, 20))
        with over_http(made) if is_served else nullcontext(made) as reached:
            outcome = reached.calibrate(EVERYTHING)
        count.add(reached, outcome, settings)
        remaining = int(repr(made.emulator).split()[1])
        assert remaining <= len(outcome.may_remain) + len(outcome.left)
    tell(f"faults: {count}; {count.may_remain} factors may remain")
    assert (count.wrong, count.differences) == ([], [])
    assert count.verdicts > 4 * count.open


PLANS = {"ListsAtRandom": Plan(user_id=USER), "ListsWithoutCursors": Plan(user_id=USER)}


def test_what_no_setting_describes_is_open_or_noticed(tell: Tell) -> None:
    """Where an API does what no setting describes, the question is open, or the run is stopped by its canary."""
    open_ones = stopped = 0
    for kind in STRANGE:
        made = world(kind.settings, 3, kind)
        outcome = made.calibrate(EVERYTHING if FULL else PLANS.get(kind.__name__, Plan()))
        wrong = [text for text in wrong_in(outcome, kind.settings) if not _is_allowed(kind, text, outcome)]
        assert (kind.__name__, wrong) == (kind.__name__, [])
        assert [name for name, values in kind.unsure.items() if not values and name in outcome.settings] == []
        assert (kind.__name__, bool(outcome.stopped)) == (kind.__name__, kind.stops)
        assert repr(made.emulator).startswith("<Emulator: 0 factors")
        known = {name: truth(kind.settings)[name] for name, values in kind.unsure.items() if not values}
        # A lock that is a 403 may as well be a refusal of the key, or a gateway's.
        is_seen = bool(known) and kind is not LocksInOtherWords
        assert (kind.__name__, bool(compare(known, outcome).changed)) == (kind.__name__, is_seen)
        open_ones += sum(verdict.answer is None for verdict in outcome.verdicts)
        stopped += bool(outcome.stopped)
    tell(f"{len(STRANGE)} APIs that no setting describes: 0 verdicts wrong, {open_ones} open, {stopped} runs stopped")


def _is_allowed(kind: type[Strange], text: str, outcome: Outcome) -> bool:
    name = text.partition(":")[0]
    return outcome.settings[name] in kind.unsure.get(name, ())
