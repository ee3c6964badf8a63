"""A step: it lasts ten minutes, and the browser's session keeps all of it."""

from __future__ import annotations

import json

import pytest

from workos_mfa.flask._second_factor.steps import Step, from_session

STEP = Step(
    purpose="remove",
    account_id="ada",
    generation="a generation",
    at=1000.0,
    next="/",
    factor_id="auth_factor_1",
    challenge_id="auth_challenge_1",
    target="auth_factor_2",
    dropped=True,
)


@pytest.mark.parametrize(("now", "is_over"), [(1000, False), (1599.9, False), (1600, True), (990, False)])
def test_ten_minutes(now: float, is_over: bool) -> None:  # noqa: FBT001 - from a table
    """It is over after ten minutes; the clock of another server may be behind."""
    assert STEP.is_over(now) is is_over


@pytest.mark.parametrize("step", [STEP, Step(purpose="sign_in", account_id="ada", generation="1", at=0, next="/")])
def test_a_session_keeps_it(step: Step) -> None:
    """As JSON, which is what Flask makes of it."""
    assert from_session(json.loads(json.dumps(step.to_dict()))) == step


def test_a_step_begins() -> None:
    """It is for a factor that counts, and no form has been sent in vain."""
    step = Step(purpose="sign_in", account_id="ada", generation="1", at=0, next="/")
    assert (step.enrolling, step.dropped, step.factor_id, step.challenge_id, step.target) == (False, False, *[None] * 3)


def test_no_two_steps_are_the_same() -> None:
    """The form of one is not taken for that of another."""
    steps = [Step(purpose="sign_in", account_id="ada", generation="1", at=0, next="/") for _ in range(100)]
    assert len({step.id for step in steps}) == 100


@pytest.mark.parametrize(
    "value",
    [
        None,
        "a step",
        [],
        {},
        {**STEP.to_dict(), "unknown": 1},
        {name: value for name, value in STEP.to_dict().items() if name != "generation"},
    ],
)
def test_what_is_no_step(value: object) -> None:
    """Nothing, or that of another release: the person begins again."""
    assert from_session(value) is None
