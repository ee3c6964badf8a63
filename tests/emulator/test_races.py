"""Threads that race lose nothing and gain nothing: attempts are counted, a code is accepted once."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.emulator.caller import Caller
from tests.race import THREADS, race
from workos_mfa import MFA, Emulator


class TimeLimit(BaseException):
    """Such as a worker's soft time limit, which may come at any time."""


def stop_when_locked(frame: FrameType, event: str, _: object) -> Any:  # pragma: no cover - under the watch
    """What Python calls: it stops the emulator when a transaction has begun, and nobody can end it yet."""
    if event == "return":
        raise TimeLimit
    is_entering = frame.f_code.co_name == "__enter__" and frame.f_globals["__name__"] == "contextlib"
    return stop_when_locked if is_entering else None


@pytest.mark.parametrize(
    "change",
    [
        lambda emulator: emulator.seed({"factors": [{"type": "generic_otp"}]}),
        lambda emulator: emulator.clock.advance(30),
        lambda emulator: emulator.outbox.clear(),
        Emulator.reset,
        lambda emulator: MFA(transport=emulator).enroll_factor(type="generic_otp"),
    ],
    ids=["seed", "clock", "outbox", "reset", "call"],
)
def test_a_time_limit_leaves_nothing_locked(change: Callable[[Emulator], object]) -> None:
    """Other threads go on, also while somebody keeps the exception."""
    emulator = Emulator()
    before = sys.gettrace()
    sys.settrace(stop_when_locked)
    try:
        with pytest.raises(TimeLimit) as kept:
            change(emulator)
    finally:
        sys.settrace(before)  # pragma: no cover - coverage looks again from here on
    other = threading.Thread(target=repr, args=[emulator], daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()
    assert kept.value.__traceback__ is not None


def test_wrong_codes_are_counted_exactly(caller_with: Callable[..., Caller]) -> None:
    """Of 32 wrong codes exactly the allowed number is answered false."""
    caller = caller_with(max_wrong_codes=7)
    challenge = caller.challenge(caller.generic()).json
    statuses = Counter(race(lambda _: caller.wrong(challenge).status))
    assert statuses == {201: 7, 400: THREADS - 7}


def test_a_right_code_is_accepted_once(caller: Caller) -> None:
    """Of 32 threads with the right code one is told so."""
    challenge = caller.challenge(caller.generic()).json
    responses = race(lambda _: caller.verify(challenge, challenge["code"]))
    assert Counter(response.status for response in responses) == {201: 1, 422: THREADS - 1}


@pytest.mark.parametrize("reply", ["invalid", "refused"])
def test_a_totp_code_is_accepted_once_in_any_challenge(caller_with: Callable[..., Caller], reply: str) -> None:
    """32 challenges of one factor share one code: it opens one of them."""
    caller = caller_with(reused_totp_code=reply)
    factor = caller.totp()
    challenges = [caller.challenge(factor).json for _ in range(THREADS)]
    code = caller.emulator.totp_code(factor["id"])
    responses = race(lambda number: caller.verify(challenges[number], code))
    assert Counter(response.json.get("valid") for response in responses)[True] == 1


def test_limits_hold(caller_with: Callable[..., Caller]) -> None:
    """Limits of messages and of factors are not passed by threads that start at once."""
    caller = caller_with(sms_rate_limit=3, max_factors_per_user=5)
    factor = caller.sms()
    assert Counter(race(lambda _: caller.challenge(factor).status)) == {201: 3, 429: THREADS - 3}
    assert len(caller.emulator.outbox) == 3
    statuses = Counter(race(lambda _: caller.enroll(type="generic_otp", user_id="user_1").status))
    assert statuses == {201: 5, 422: THREADS - 5}


def test_a_factor_is_deleted_once(caller: Caller) -> None:
    """One of 32 deletions finds the factor."""
    factor = caller.totp(user_id="user_1")
    assert Counter(race(lambda _: caller.delete(factor["id"]).status)) == {204: 1, 404: THREADS - 1}


def test_everything_at_once(caller: Caller) -> None:
    """Calls, readings, clock moves and resets in parallel raise nothing and lose no call."""

    def work(number: int) -> int:
        made = caller.enroll(type="sms", phone_number="+15005550006", user_id="user_1").json
        challenge = caller.challenge(made)
        caller.emulator.clock.advance(1)
        if number == THREADS // 2:
            caller.emulator.reset()
        return len(list(caller.emulator.outbox)) + len(repr(caller.emulator)) + challenge.status

    assert all(race(work))
    ids = [call.request_id for call in caller.emulator.calls]
    assert len(ids) == len(set(ids))
