"""The proof of a calibration: the same questions to an emulator with the settings found give the same answers.

Exactly the settings of an API can't be asked for, since some look alike; what the questions see of them can.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import cast

import attrs

from workos_mfa import Emulator
from workos_mfa._calibration.calibration import Outcome, Surroundings, calibrate
from workos_mfa._calibration.factor_journal import Journal
from workos_mfa._calibration.question import Value, Verdict

_NOW = datetime(2026, 1, 15, 12, 0, 7, tzinfo=timezone.utc)


@attrs.frozen
class Replay:
    """What the emulator did.

    :param compared: how many answers were compared.
    :param differences: a sentence for each that differs.
    """

    compared: int
    differences: list[str]


def replay(outcome: Outcome) -> Replay:
    """Ask an emulator what the API was asked, as far as it has answered.

    :raises ImportError: if segno is not installed.
    """
    emulator = emulator_with(outcome.settings)
    if outcome.plan.user_id is not None:
        emulator.seed({"users": {outcome.plan.user_id: "calibration@example.com"}})
    around = Surroundings(
        clock=lambda: emulator.clock.now().timestamp(),
        sleep=emulator.clock.advance,
        read_message=lambda _: emulator.outbox.latest().text,
    )
    again = calibrate(emulator, outcome.plan, Journal(None), around)
    # The same questions in the same order; a run that was stopped has fewer.
    pairs = [(first, second) for first, second in zip(outcome.verdicts, again.verdicts, strict=False) if first.answer]
    differences = [
        f"{first.question.title} The API: {_told(first)}. The emulator: {_told(second)}."
        for first, second in pairs
        if second.answer != first.answer
    ]
    return Replay(len(pairs), differences)


def emulator_with(settings: dict[str, Value]) -> Emulator:
    """An emulator with the settings found, whose clock stands still."""
    # The names come from the questions, and Emulator checks them.
    make = cast("Callable[..., Emulator]", Emulator)
    return make(now=_NOW, **settings)


def _told(verdict: Verdict) -> str:
    return verdict.answer.seen if verdict.answer else verdict.open_because
